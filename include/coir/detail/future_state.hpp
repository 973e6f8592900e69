// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <variant>

namespace coir::detail {

class fiber_control;

// What a future and its promise, or its task, share. Its layout is the library's; behind it is room
// for the value. Thread-safe but for the value itself, which belongs to the publisher before it is
// published and to the future after.
class future_state;

// Destroys a value, given where it is.
using value_destructor = void (*)(void*) noexcept;

COIR_API future_state* make_future_state(std::size_t value_bytes, value_destructor destroy);
COIR_API void retain(future_state& state) noexcept;
COIR_API void release(future_state* state) noexcept;  // null is allowed
COIR_API void* value_of(future_state& state) noexcept;

// Publishing. begin_publishing() makes the caller the only publisher, or throws std::future_error
// (promise_already_satisfied); then comes one of the others. They wake whoever waits.
COIR_API void begin_publishing(future_state& state);
COIR_API void publish_value(future_state& state) noexcept;
COIR_API void publish_failure(future_state& state, std::exception_ptr failure) noexcept;
COIR_API void publish_cancellation(future_state& state) noexcept;
COIR_API void take_publication_back(future_state& state) noexcept;
COIR_API void break_promise(future_state& state) noexcept;  // unless something was published

// The future's side. Waits throw operation_cancelled.
COIR_API bool is_ready(future_state& state) noexcept;
COIR_API bool wait_for_publication(future_state& state, deadline until);
COIR_API void throw_unless_value(future_state& state);  // rethrows; task_cancelled

// The task behind a future: named in reports, and what cancel_task() cancels. Takes the handle.
COIR_API void attach_task(future_state& state, fiber_control* handle) noexcept;
COIR_API void cancel_task(future_state& state) noexcept;
// Somebody else sees to failures: an unfetched one is not logged.
COIR_API void mark_watched(future_state& state) noexcept;

// A counted reference, typed: T may be void or a reference.
template <class T>
class future_ref {
public:
    using stored = std::conditional_t<
        std::is_void_v<T>, std::monostate,
        std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>>;
    static_assert(alignof(stored) <= alignof(std::max_align_t),
                  "coir: over-aligned results are not supported");

    future_ref() noexcept = default;
    static future_ref make() {
        return future_ref(make_future_state(sizeof(stored), [](void* value) noexcept {
            std::destroy_at(static_cast<stored*>(value));
        }));
    }
    future_ref(const future_ref& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) {
            retain(*state_);
        }
    }
    future_ref(future_ref&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    future_ref& operator=(future_ref other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~future_ref() { release(state_); }

    explicit operator bool() const noexcept { return state_ != nullptr; }
    future_state& operator*() const noexcept { return *state_; }

    // Publishes what `produce` returns. If that throws, nothing is published.
    template <class F>
    void publish_result_of(F&& produce) const {
        begin_publishing(*state_);
        try {
            make_value(produce);
        } catch (...) {
            take_publication_back(*state_);
            throw;
        }
        publish_value(*state_);
    }

    // Makes the value, of what `produce` returns, between begin_publishing() and publish_value().
    template <class F>
    void make_value(F&& produce) const {
        if constexpr (std::is_void_v<T>) {
            produce();
            ::new (value_of(*state_)) stored();
        } else if constexpr (std::is_reference_v<T>) {
            ::new (value_of(*state_)) stored(std::addressof(produce()));
        } else {
            ::new (value_of(*state_)) stored(produce());
        }
    }

    // Pre: a value was published. It stays: what a shared_future gives.
    decltype(auto) look() const {
        const auto& value = *std::launder(static_cast<const stored*>(value_of(*state_)));
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(*value);
        } else if constexpr (!std::is_void_v<T>) {
            return (value);
        }
    }

    // Pre: a value was published. Moves it out.
    T take() const {
        auto& value = *std::launder(static_cast<stored*>(value_of(*state_)));
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(*value);
        } else if constexpr (!std::is_void_v<T>) {
            return std::move(value);
        }
    }

private:
    explicit future_ref(future_state* state) noexcept : state_(state) {}

    future_state* state_ = nullptr;
};

}  // namespace coir::detail
