// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "context/guard/stack_guard.hpp"
#include "context/stack.hpp"
#include "context/stack_slab.hpp"

namespace coir::detail {

// The stacks of one carrier thread, each with a guard page, carved from large lazily mapped slabs
// and handed out again last in, first out, so that the next fiber gets the stack that is still in
// the cache.
//
// Not thread-safe. A fiber gets its stack when it first runs and is pinned to its carrier from then
// on, so the stack comes back on the thread that it was acquired on.
//
// Free stacks are kept in an array beside them (size_class::free), not linked through themselves: a
// link in a cold stack would fault its page back in on release and acquire, and MADV_DONTNEED would
// wipe it out. The array's end is one warm line, and it is reserved when a slab is mapped, so
// release never allocates.
class stack_pool {
public:
    struct options {
        guard_kind guard = guard_kind::automatic;
    };

    static constexpr std::size_t default_size = 256 * 1024;
    // Room to print and to throw, after guard and colour have taken up to 6 KiB; not a
    // recommendation.
    static constexpr std::size_t minimum_size = 16 * 1024;
    static constexpr std::size_t maximum_size = 1024 * 1024 * 1024;

    stack_pool() : stack_pool(options{}) {}
    explicit stack_pool(const options& o);
    // Pre: every stack has been released.
    ~stack_pool();
    stack_pool(const stack_pool&) = delete;
    stack_pool& operator=(const stack_pool&) = delete;

    // A stack that takes size_bytes of address space, rounded up to pages (and to four pages);
    // guard and colour are inside. Its contents are unspecified. Throws std::invalid_argument if
    // the size is outside [minimum_size, maximum_size], and std::system_error if the system
    // refuses; then nothing has changed.
    [[nodiscard]] stack acquire(std::size_t size_bytes = default_size);

    // Pre: `s` came from this pool's acquire, and nothing runs on it.
    void release(const stack& s) noexcept;

    // Called now and then (the scheduler does, once a second at most): of the stacks that nobody
    // needed since the last call one half, though at most age_limit per size, give their memory
    // back to the system; slabs of which nothing is left in use are unmapped. So a burst does not
    // hold memory for ever, a steady load stays warm, and the pause is bounded.
    void age() noexcept;
    static constexpr std::size_t age_limit = 512;  // about half a millisecond

    std::size_t live() const noexcept { return live_; }  // acquired and not released
    std::size_t free() const noexcept;  // released and kept; slots never used yet do not count
    std::size_t mapped_bytes() const noexcept;  // address space, most of it untouched

private:
    // All stacks of one reserved size.
    struct size_class {
        explicit size_class(std::size_t slot_bytes) noexcept : slot_size(slot_bytes) {}

        std::size_t slot_size;
        std::size_t slots = 0;  // in all slabs
        // Only the last may have slots that were never used. By address, as stacks point to their
        // slab.
        std::vector<std::unique_ptr<stack_slab>> slabs;
        // The one released last is at the back. Capacity is at least `slots`.
        std::vector<stack> free;
        // The least free.size() since age(): the first low_water of them were not needed.
        std::size_t low_water = 0;
        // The first given_back of them hold no memory. given_back <= low_water <= free.size().
        std::size_t given_back = 0;
    };

    size_class& class_of(std::size_t size_bytes);
    stack carve(size_class& c);
    void map_slab(size_class& c);
    static void unmap_empty_slabs(size_class& c) noexcept;

    stack_guard guard_;
    std::size_t live_ = 0;
    // Few, so searched in order; the default size is the first. Never shrinks.
    std::vector<size_class> classes_;
    std::size_t last_size_ = 0;  // that was asked for; 0, which is none, before the first
    std::size_t class_of_last_size_ = 0;
};

}  // namespace coir::detail
