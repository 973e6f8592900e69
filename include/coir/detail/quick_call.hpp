// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <cstdint>

namespace coir::detail {

// So much of a cancel scope, a fiber and a carrier is in the open: what a call that need not wait
// asks and changes, when it is compiled into the caller. The library's own types derive from these.

enum class cancel_cause : std::uint8_t { none, requested, deadline };

class scope_head {
public:
    // Why calls made directly in this scope fail; none: they do not.
    cancel_cause effective() const noexcept { return effective_; }

protected:
    scope_head() = default;
    ~scope_head() = default;

    cancel_cause effective_ = cancel_cause::none;
};

struct fiber_head {
    scope_head* innermost = nullptr;  // never null while it runs; what cancellation points look at
};

class carrier_head {
protected:
    explicit carrier_head(int ticks) noexcept : ticks_(ticks) {}
    ~carrier_head() = default;

    fiber_head* running_ = nullptr;
    int ticks_;  // how many switches, and calls that did not need to wait, are left of the budget

    friend class quick_call;
};

// The calling thread's; null if that is no carrier. (Not thread_local, which C++17 can only use by
// a call.)
extern COIR_API __thread carrier_head* this_threads_carrier [[gnu::tls_model("initial-exec")]];

// A call that may wait, and is a cancellation point, by a fiber that finds that it need not wait.
class quick_call {
public:
    quick_call() noexcept : carrier_(this_threads_carrier) {}

    // Otherwise the library is to be asked: it is cancelled, or no fiber calls.
    bool is_possible() const noexcept {
        return carrier_ != nullptr &&
               carrier_->running_->innermost->effective() == cancel_cause::none;
    }

    // It did not need to wait. Pre: is_possible().
    void passed_at_once() const noexcept {
        if (--carrier_->ticks_ <= 0) {
            give_way();
        }
    }

private:
    COIR_API static void give_way() noexcept;

    carrier_head* const carrier_;  // for good, as fibers are pinned
};

}  // namespace coir::detail
