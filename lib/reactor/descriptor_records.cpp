// SPDX-License-Identifier: BSL-1.0
#include "reactor/descriptor_records.hpp"

#include "base/libc_only.hpp"
#include "reactor/reactor.hpp"

#include <array>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace coir::detail {

namespace {

constexpr std::size_t chunk_size = 8192;
using chunk = std::array<descriptor_record, chunk_size>;

constinit std::array<std::atomic<chunk*>, 512> chunks{};
constinit descriptor_record no_record;  // its life never ends

// What stands in a place, made by whoever comes first; null if there is no memory.
template <class T>
T* made_once(std::atomic<T*>& place) noexcept {
    T* known = place.load(std::memory_order_acquire);
    if (known != nullptr) {
        return known;
    }
    auto* const made = new (std::nothrow) T;
    if (made == nullptr) {
        return nullptr;
    }
    // acq_rel: whoever sees the pointer sees the zeros.
    if (place.compare_exchange_strong(known, made, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        return made;
    }
    delete made;
    return known;
}

// The reactors that live; a number is a place in it, plus one.
struct registry {
    std::mutex mutex;
    std::vector<reactor*> reactors;
    registry* older = nullptr;

    // Never destroyed: threads may outlive main().
    static constinit std::atomic<registry*> of_process;
    // Those that a process has of its parents are of no more use. To leak checkers they are not
    // lost.
    static constinit registry* of_parents;
};

constinit std::atomic<registry*> registry::of_process = nullptr;
constinit registry* registry::of_parents = nullptr;

}  // namespace

descriptor_record& descriptor_record::of(int descriptor) noexcept {
    const auto number = static_cast<std::size_t>(descriptor);
    if (number / chunk_size >= chunks.size()) {
        return no_record;
    }
    chunk* const found = made_once(chunks[number / chunk_size]);
    return found != nullptr ? (*found)[number % chunk_size] : no_record;
}

std::uint32_t descriptor_record::begin_wait(std::uint32_t reactor_number) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_acquire);
    for (;;) {
        const std::uint32_t noted = waiter_in(seen);
        if (noted == reactor_number || noted == several || this == &no_record) {
            return life_in(seen);
        }
        const std::uint64_t with_us =
            (seen & ~std::uint64_t{UINT32_MAX}) | (noted == 0 ? reactor_number : several);
        // acq_rel: a closer that reads this sees the reactor made; and if he has looked already,
        // the kernel has closed the file for us, too.
        if (word_.compare_exchange_weak(seen, with_us, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
            return life_in(seen);
        }
    }
}

bool descriptor_record::end_life(std::uint32_t reactor_number) noexcept {
    if (this == &no_record) {
        return false;
    }
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    while (!word_.compare_exchange_weak(seen, std::uint64_t{life_in(seen) + 1} << 32,
                                        std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
    return waiter_in(seen) != 0 && waiter_in(seen) != reactor_number;
}

bool descriptor_record::awaited(std::uint32_t reactor_number) noexcept {
    // It writes what is there. A load might be done before the close, and miss who comes between.
    const std::uint32_t noted = waiter_in(word_.fetch_add(0, std::memory_order_acq_rel));
    return noted != 0 && noted != reactor_number;
}

void tell_other_reactors(const reactor* closer, int descriptor) noexcept {
    const libc_only no_switch;  // the number must not become another file's in the middle of this
    registry* const all = registry::of_process.load(std::memory_order_acquire);
    if (all == nullptr) {
        return;
    }
    const std::lock_guard guard(all->mutex);
    for (reactor* const one : all->reactors) {
        if (one != nullptr && one != closer) {
            one->closed_elsewhere(descriptor);
        }
    }
}

void forget_reactors_in_child() noexcept {
    // Somebody who is not there any more may hold its lock.
    registry* const all = registry::of_process.exchange(nullptr, std::memory_order_relaxed);
    if (all != nullptr) {
        all->older = std::exchange(registry::of_parents, all);
    }
}

reactor_registration::reactor_registration(reactor& registered) : registered_(registered) {
    registry* const all = made_once(registry::of_process);
    if (all == nullptr) {
        throw std::bad_alloc();
    }
    const std::lock_guard guard(all->mutex);
    std::size_t place = 0;
    while (place < all->reactors.size() && all->reactors[place] != nullptr) {
        ++place;
    }
    if (place == all->reactors.size()) {
        all->reactors.push_back(nullptr);
    }
    all->reactors[place] = &registered;
    number_ = static_cast<std::uint32_t>(place + 1);
}

reactor_registration::~reactor_registration() {
    registry* const all = registry::of_process.load(std::memory_order_acquire);
    if (all == nullptr) {
        return;  // in a child of fork(2)
    }
    const std::lock_guard guard(all->mutex);
    for (reactor*& one : all->reactors) {
        if (one == &registered_) {
            one = nullptr;
        }
    }
}

}  // namespace coir::detail
