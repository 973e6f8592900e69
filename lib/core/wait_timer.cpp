// SPDX-License-Identifier: BSL-1.0
#include "core/wait_timer.hpp"

#include "core/fiber_control.hpp"
#include "core/scheduler.hpp"

#include <algorithm>
#include <cstddef>
#include <new>

namespace coir::detail {

constinit const timer_queue::forecast wait_timer::forecast = {expect_soon, expect_next};

void wait_timer::end_wait(timer& t) noexcept {
    fiber_control& late = static_cast<wait_timer&>(t).fiber;
    if (late.wait->claim(wait_status::timed_out)) {
        late.home().make_ready(late);  // timers fire at home
    }
}

// Of the control block what a wait's beginning and end touch, and what the function has captured.
void wait_timer::expect_soon(const timer& t) noexcept {
    if (t.fire == end_wait) {
        const fiber_control& late = static_cast<const wait_timer&>(t).fiber;
        __builtin_prefetch(&late);
        __builtin_prefetch(&late.label);
        __builtin_prefetch(&late + 1);
    }
}

// That tells where the stack is: there are the waiter, and what the switch needs.
void wait_timer::expect_next(const timer& t) noexcept {
    if (t.fire == end_wait) {
        const fiber_control& late = static_cast<const wait_timer&>(t).fiber;
        __builtin_prefetch(late.wait);
        late.context.prefetch();
    }
}

union wait_timer_store::slot {
    slot() noexcept : next(nullptr) {}
    ~slot() {}
    slot* next;  // while it is free
    wait_timer timer;
};

// The head of one piece of memory, with the slots behind it.
struct wait_timer_store::chunk {
    chunk* next;
    std::size_t bytes;  // with this head
    slot* fresh;        // the first that was never used
    slot* end;
};

namespace {

constexpr std::size_t smallest_chunk = 4096;
constexpr std::size_t largest_chunk = 2 * 1024 * 1024;
constexpr std::align_val_t chunk_alignment{64};

}  // namespace

wait_timer_store::~wait_timer_store() {
    while (first_ != nullptr) {
        chunk* const gone = first_;
        first_ = gone->next;
        ::operator delete(gone, chunk_alignment);
    }
}

// By twice as much as before, so that it is rare, within limits. What is not used is not touched.
void wait_timer_store::grow() noexcept {
    const std::size_t bytes =
        last_ == nullptr ? smallest_chunk : std::min(2 * last_->bytes, largest_chunk);
    void* memory = nullptr;
    try {
        memory = ::operator new(bytes, chunk_alignment);
    } catch (const std::bad_alloc&) {
        return;
    }
    auto* const slots = reinterpret_cast<slot*>(static_cast<std::byte*>(memory) + sizeof(chunk));
    const std::size_t count = (bytes - sizeof(chunk)) / sizeof(slot);
    auto* const added = ::new (memory) chunk{nullptr, bytes, slots, slots + count};
    (last_ != nullptr ? last_->next : first_) = added;
    last_ = added;
    if (carved_ == nullptr) {
        carved_ = added;
    }
    capacity_ += count;
}

wait_timer_store::slot* wait_timer_store::take_fresh() noexcept {
    while (carved_ != nullptr && carved_->fresh == carved_->end) {
        if (carved_->next == nullptr) {
            return nullptr;
        }
        carved_ = carved_->next;
    }
    return carved_ != nullptr ? ::new (carved_->fresh++) slot : nullptr;
}

wait_timer* wait_timer_store::take(fiber_control& fiber) noexcept {
    slot* const taken = free_ != nullptr ? free_ : take_fresh();
    if (taken == nullptr) {
        return nullptr;
    }
    if (free_ != nullptr) {
        free_ = taken->next;
    }
    return ::new (&taken->timer) wait_timer(fiber);
}

void wait_timer_store::put_back(wait_timer& t) noexcept {
    t.~wait_timer();
    slot* const freed = ::new (static_cast<void*>(&t)) slot;
    freed->next = free_;
    free_ = freed;
}

}  // namespace coir::detail
