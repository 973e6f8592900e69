// SPDX-License-Identifier: BSL-1.0
#include "sync/future_state.hpp"

#include "base/assert.hpp"
#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "context/block_pool.hpp"
#include "core/fiber_control.hpp"
#include "core/scheduler.hpp"
#include "core/waiter.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>

#include <future>
#include <mutex>
#include <new>
#include <string>
#include <utility>

namespace coir {

task_cancelled::~task_cancelled() = default;

namespace detail {

namespace {

constexpr std::size_t value_offset =
    (sizeof(future_state) + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);

}  // namespace

std::size_t future_state::allocation_size(std::size_t value_bytes) noexcept {
    return value_offset + value_bytes;
}

void* future_state::value() noexcept { return reinterpret_cast<char*>(this) + value_offset; }

future_state::~future_state() {
    if (status_ == status::value) {
        destroy_(value());
    } else if (status_ == status::failure && !fetched_ && !watched_) {
        const std::string whose =
            task_ != nullptr ? "fiber '" + task_->display_name() + '\'' : "a promise";
        log(log_level::error, "an exception of " + whose + " was never fetched from its future: " +
                                  describe_exception(failure_));
    }
    if (task_ != nullptr) {
        task_->detach();
    }
}

void future_state::release() noexcept {
    // acq_rel: what each owner did comes before the end.
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
        return;
    }
    const std::size_t bytes = allocated_bytes_;
    const bool pooled = pooled_;
    this->~future_state();
    if (pooled) {
        block_pool::release(this, bytes);
    } else {
        ::operator delete(this);
    }
}

bool future_state::begin() noexcept {
    const std::lock_guard guard(lock_);
    if (status_ != status::pending) {
        return false;
    }
    status_ = status::publishing;
    return true;
}

void future_state::publish(status outcome, std::exception_ptr failure) noexcept {
    const std::lock_guard guard(lock_);
    COIR_ASSERT(!published(), "a future's state is published twice");
    failure_ = std::move(failure);
    status_ = outcome;
    waiting_.unpark_all();
}

void future_state::take_back() noexcept {
    const std::lock_guard guard(lock_);
    status_ = status::pending;
}

void future_state::break_promise() noexcept {
    if (!begin()) {
        return;
    }
    if (owners_.load(std::memory_order_relaxed) == 1) {
        take_back();  // nobody is left to be told
        return;
    }
    publish(status::failure,
            std::make_exception_ptr(std::future_error(std::future_errc::broken_promise)));
}

bool future_state::ready() noexcept {
    const std::lock_guard guard(lock_);
    return published();
}

bool future_state::failed() noexcept {
    const std::lock_guard guard(lock_);
    return status_ == status::failure;
}

bool future_state::wait(deadline until) {
    check_cancelled();
    std::unique_lock guard(lock_);
    while (!published()) {
        // A task of this run is one of the fibers that a deadlock report knows of; anything else
        // may be published from outside.
        const bool inside = task_ != nullptr && scheduler::shares_carriers_with(task_->home());
        const wait_label what{task_ != nullptr ? "the result of fiber" : "a promise",
                              task_ != nullptr ? static_cast<long>(task_->id) : -1, !inside};
        switch (waiting_.park(guard, until, what)) {
            case wait_status::notified: break;
            case wait_status::timed_out: return published();
            case wait_status::cancelled: guard.unlock(); throw operation_cancelled();
        }
    }
    return true;
}

void future_state::throw_unless_value() {
    std::exception_ptr failure;
    const fiber_control* task = nullptr;
    {
        const std::lock_guard guard(lock_);
        if (status_ == status::value) {
            return;
        }
        fetched_ = true;
        failure = failure_;
        task = task_;
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    throw task_cancelled(
        "coir: " +
        (task != nullptr ? "fiber '" + task->display_name() + '\'' : std::string("the task")) +
        " was cancelled and has no result");
}

void future_state::attach(fiber_control* handle) noexcept {
    bool cancel = false;
    {
        const std::lock_guard guard(lock_);
        task_ = handle;
        cancel = cancel_wanted_;
    }
    if (cancel) {
        handle->request_cancel();
    }
}

void future_state::cancel_task() noexcept {
    fiber_control* task = nullptr;
    {
        const std::lock_guard guard(lock_);
        task = task_;
        cancel_wanted_ = true;
    }
    if (task != nullptr) {
        task->request_cancel();  // the handle is ours for as long as this state lives
    }
}

future_state* make_future_state(std::size_t value_bytes, value_destructor destroy) {
    const std::size_t bytes = future_state::allocation_size(value_bytes);
    scheduler* const home = scheduler::current();
    void* const block = home != nullptr ? home->blocks().allocate(bytes) : ::operator new(bytes);
    return ::new (block) future_state(bytes, destroy, home != nullptr);
}

void retain(future_state& state) noexcept { state.retain(); }

void release(future_state* state) noexcept {
    if (state != nullptr) {
        state->release();
    }
}

void* value_of(future_state& state) noexcept { return state.value(); }

void begin_publishing(future_state& state) {
    if (!state.begin()) {
        throw std::future_error(std::future_errc::promise_already_satisfied);
    }
}

void publish_value(future_state& state) noexcept {
    state.publish(future_state::status::value, nullptr);
}

void publish_failure(future_state& state, std::exception_ptr failure) noexcept {
    state.publish(future_state::status::failure, std::move(failure));
}

void publish_cancellation(future_state& state) noexcept {
    state.publish(future_state::status::cancelled, nullptr);
}

void take_publication_back(future_state& state) noexcept { state.take_back(); }
void break_promise(future_state& state) noexcept { state.break_promise(); }
bool is_ready(future_state& state) noexcept { return state.ready(); }

bool wait_for_publication(future_state& state, deadline until) { return state.wait(until); }

void throw_unless_value(future_state& state) { state.throw_unless_value(); }

void attach_task(future_state& state, fiber_control* handle) noexcept { state.attach(handle); }
void cancel_task(future_state& state) noexcept { state.cancel_task(); }
void mark_watched(future_state& state) noexcept { state.mark_watched(); }

}  // namespace detail
}  // namespace coir
