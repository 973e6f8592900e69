// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>

namespace coir::detail {

struct block_chunk;
struct block_mailbox;
struct free_block;

// Memory for control blocks and callables of fibers: blocks of 256, 512, 1024 or 2048 bytes,
// 64-byte aligned, densely carved from chunks of 2 MiB. What is bigger goes to operator new.
//
// Thread safety: a pool belongs to one carrier thread, which alone calls its members. The static
// release() may be called on any thread, also after the pool's destruction: blocks that are still
// in use then stay valid, and the release of the last one in a chunk frees the chunk.
//
// On the pool's own thread, allocate() and release() use a plain LIFO list: no lock, no atomic
// read-modify-write, and no operator new once enough blocks are there. On other threads, release()
// pushes to the pool's mailbox, without a lock.
class block_pool {
public:
    static constexpr std::size_t block_alignment = 64;
    static constexpr std::size_t largest_block = 2048;

    // Throws std::bad_alloc.
    block_pool();
    // On its own thread, or on any when that has ended.
    ~block_pool();
    block_pool(const block_pool&) = delete;
    block_pool& operator=(const block_pool&) = delete;

    // Makes this the pool of the calling thread, for which release() takes the fast path, until
    // unbind_from_this_thread() or the destructor. A thread has one at most.
    void bind_to_this_thread() noexcept;
    void unbind_from_this_thread() noexcept;

    // At least `bytes` bytes, 64-byte aligned. Throws std::bad_alloc.
    [[nodiscard]] void* allocate(std::size_t bytes);

    // Pre: `block` came from allocate(bytes) of any pool.
    static void release(void* block, std::size_t bytes) noexcept;

    // Blocks in use, without those that were too big for the pool. Exact if no other thread
    // releases meanwhile.
    std::size_t live() noexcept;

private:
    static constexpr std::size_t class_count = 4;

    // The blocks of one size that this thread can hand out at once.
    struct size_class {
        free_block* free = nullptr;    // released ones, the latest first
        block_chunk* chunk = nullptr;  // the newest
        std::byte* fresh = nullptr;    // its tail that was never used, and is not touched before
    };

    void* allocate_fresh(std::size_t class_index);
    void put(free_block* block, block_chunk& chunk) noexcept;
    void drain_mailbox() noexcept;

    std::array<size_class, class_count> classes_;
    // Counts down when a block arrives here, not when it is put into the mailbox.
    std::size_t live_ = 0;
    block_chunk* chunks_ = nullptr;  // all, linked by block_chunk::next
    block_mailbox* const mailbox_;   // outlives the pool while blocks are in use
};

}  // namespace coir::detail
