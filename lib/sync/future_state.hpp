// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/future_state.hpp>
#include <coir/detail/spin_lock.hpp>
#include <coir/wait_queue.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>

namespace coir::detail {

// pending -> publishing -> value | failure | cancelled, and back from publishing to pending if
// making the value threw.
class future_state {
public:
    enum class status : std::uint8_t { pending, publishing, value, failure, cancelled };

    future_state(std::size_t allocated_bytes, value_destructor destroy, bool pooled) noexcept
        : allocated_bytes_(allocated_bytes), destroy_(destroy), pooled_(pooled) {}
    future_state(const future_state&) = delete;
    future_state& operator=(const future_state&) = delete;

    static std::size_t allocation_size(std::size_t value_bytes) noexcept;
    void* value() noexcept;

    void retain() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept;

    bool begin() noexcept;  // false if somebody has published or does
    void publish(status outcome, std::exception_ptr failure) noexcept;
    void take_back() noexcept;
    void break_promise() noexcept;

    bool ready() noexcept;
    bool failed() noexcept;  // an exception was published
    bool wait(deadline until);
    void throw_unless_value();

    void attach(fiber_control* handle) noexcept;
    void cancel_task() noexcept;
    void mark_watched() noexcept { watched_ = true; }

    // For a select: what guards the publication, where one waits for it, and, with the lock held,
    // whether it has happened.
    spin_lock& lock() noexcept { return lock_; }
    wait_queue& waiting() noexcept { return waiting_; }
    bool published() const noexcept { return status_ > status::publishing; }

private:
    ~future_state();

    spin_lock lock_;  // guards what follows, up to the failure
    status status_ = status::pending;
    bool fetched_ = false;           // somebody has seen the failure
    bool watched_ = false;           // somebody else will
    bool cancel_wanted_ = false;     // before there was a task
    fiber_control* task_ = nullptr;  // a handle, once the task was spawned
    wait_queue waiting_;
    std::exception_ptr failure_;
    std::atomic<std::uint32_t> owners_{1};
    const std::size_t allocated_bytes_;
    const value_destructor destroy_;
    const bool pooled_;  // from the carrier's block pool; else from operator new
};

}  // namespace coir::detail
