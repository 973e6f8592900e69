// SPDX-License-Identifier: BSL-1.0
#include "time/clock.hpp"

#include <utility>

namespace coir::detail {

namespace {

// In the static TLS block, so that it is read by one load relative to the thread pointer; the
// general model would call a function of the dynamic linker on each look at the time. Fibers never
// change threads, so an address that the compiler keeps across a switch stays right.
[[gnu::tls_model("initial-exec")]] constinit thread_local const clock* thread_clock = nullptr;

}  // namespace

time_point now() noexcept {
    if (thread_clock == nullptr) [[likely]] {
        return std::chrono::steady_clock::now();
    }
    return thread_clock->now();
}

time_point virtual_clock::now() const noexcept {
    return time_point(std::chrono::nanoseconds(count_.load(std::memory_order_relaxed)));
}

void virtual_clock::advance_to(time_point t) noexcept {
    const auto target = t.time_since_epoch().count();
    auto current = count_.load(std::memory_order_relaxed);
    while (current < target &&
           !count_.compare_exchange_weak(current, target, std::memory_order_relaxed)) {
    }
}

const clock* current_clock() noexcept { return thread_clock; }

clock_scope::clock_scope(const clock* inner) noexcept
    : outer_(std::exchange(thread_clock, inner)) {}

clock_scope::~clock_scope() { thread_clock = outer_; }

}  // namespace coir::detail
