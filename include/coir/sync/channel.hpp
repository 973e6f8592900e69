// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/channel_operation.hpp>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief Thrown by a send on a closed channel. It is a logic error: senders agree on when their
/// channel is closed, as in Go.
class COIR_API channel_closed : public std::logic_error {
public:
    using std::logic_error::logic_error;
    ~channel_closed() override;
};

/// @brief The type of coir::unbounded.
struct unbounded_t {
    explicit unbounded_t() = default;
};

/// @brief Instead of a capacity: a send never waits.
inline constexpr unbounded_t unbounded{};

/// @brief Passes values from those who send to those who receive, each value to one receiver: Go's
/// channel, for fibers and threads.
///
/// With a capacity of 0 a send waits for its receiver, and the value moves straight from one's
/// stack to the other's. With a capacity of n up to n values wait in between; a channel that is
/// `unbounded` takes any number. Use select() to wait for several channels at once, and queue where
/// the work that was taken out must be awaited as well.
///
/// T is any object type that moves without throwing; it need not be copyable. Its move constructor
/// must not wait, nor use the channel: values move into and out of the buffer under a spin lock.
///
/// @suspends Sends wait for room or for a receiver, receives for a value. `try_...` never wait.
/// @threadsafety Everything may be called from fibers of any carrier and from plain threads at
/// once.
/// @errors Sends on a closed channel throw channel_closed. Memory is taken when a channel is made,
/// and by the sends of an unbounded one (std::bad_alloc).
/// @cancellation All calls that may wait are cancellation points, whether or not they need to. One
/// that is cancelled or times out has sent nothing and taken nothing: a value that was to be moved
/// into the channel is still where it was.
/// @order First come, first served, for senders and for receivers; nobody overtakes those who wait.
/// Values arrive in the order in which they were sent.
/// @lifetime It must outlive the calls that are made on it, but for one that has been given its
/// value, or has given its value away: whoever learns of that may destroy the channel. Destroying
/// it while somebody waits is an error (asserted). Values that are left are destroyed with it.
/// @example `test/unit/sync/channel.cpp`
template <class T>
class channel {
    static_assert(std::is_object_v<T> && !std::is_const_v<T>, "a channel passes objects by value");
    static_assert(std::is_nothrow_move_constructible_v<T>,
                  "a channel's values must move without throwing; pass a std::unique_ptr instead");
    static_assert(alignof(T) <= alignof(std::max_align_t),
                  "coir: over-aligned values are not supported");

public:
    /// @brief The type of the values.
    using value_type = T;

    /// @brief Makes an open channel for `capacity` values. `name` is for errors and reports, and
    /// must outlive it.
    /// @throws std::length_error if there can be no such capacity.
    explicit channel(std::size_t capacity, const char* name = nullptr)
        : core_(detail::element_type::of<T>(), capacity, name) {}
    /// @brief Makes one whose sends never wait.
    explicit channel(unbounded_t, const char* name = nullptr)
        : channel(detail::channel_core::no_limit, name) {}
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    /// @brief Sends a value, waiting for as long as that takes. An rvalue is moved from only when
    /// it is sent.
    /// @throws channel_closed if the channel is closed before the value was sent.
    /// @throws operation_cancelled
    template <class U = T, class = std::enable_if_t<std::is_convertible_v<U&&, T>>>
    void send(U&& value) {
        send_until(std::forward<U>(value), deadline::never());
    }

    /// @brief Sends a value, waiting for it until `until`.
    /// @returns false if that has passed; an rvalue was then not moved from.
    /// @throws channel_closed; operation_cancelled
    template <class U = T, class = std::enable_if_t<std::is_convertible_v<U&&, T>>>
    bool send_until(U&& value, deadline until) {
        if constexpr (std::is_same_v<U, T>) {
            return core_.send_at_once(value) || core_.send(&value, until);
        } else {
            return send_until(T(std::forward<U>(value)), until);
        }
    }

    /// @brief Sends a value, waiting for it for at most `timeout`. @returns as send_until().
    template <class U = T, class Rep, class Period>
    bool send_for(U&& value, std::chrono::duration<Rep, Period> timeout) {
        return send_until(std::forward<U>(value), deadline::after(timeout));
    }

    /// @brief Sends a value if there is room, or a receiver that waits. It never waits, does not
    /// switch fibers, and is no cancellation point.
    /// @returns false if the value was not sent; an rvalue was then not moved from.
    /// @throws channel_closed
    template <class U = T, class = std::enable_if_t<std::is_convertible_v<U&&, T>>>
    bool try_send(U&& value) {
        if constexpr (std::is_same_v<U, T>) {
            return core_.try_send_at_once(value) || core_.try_send(&value);
        } else {
            return try_send(T(std::forward<U>(value)));
        }
    }

    /// @brief Receives a value, waiting for as long as that takes.
    /// @returns empty once the channel is closed and drained.
    /// @throws operation_cancelled
    std::optional<T> receive() { return receive_until(deadline::never()); }

    /// @brief Receives a value, waiting for it until `until`.
    /// @returns empty if that has passed, or once the channel is closed and drained; drained()
    /// tells which.
    /// @throws operation_cancelled
    std::optional<T> receive_until(deadline until) {
        std::optional<T> value;
        receive_into(value, until);
        return value;
    }

    /// @brief Receives a value, waiting for it for at most `timeout`. @returns as receive_until().
    template <class Rep, class Period>
    std::optional<T> receive_for(std::chrono::duration<Rep, Period> timeout) {
        return receive_until(deadline::after(timeout));
    }

    /// @brief Receives a value if there is one, or a sender that waits with one. It never waits,
    /// does not switch fibers, and is no cancellation point.
    std::optional<T> try_receive() {
        std::optional<T> value;
        if (!core_.try_receive_at_once(value)) {
            core_.try_receive(&value);
        }
        return value;
    }

    /// @brief Closes the channel: sends throw from now on, those that wait included; receives get
    /// what is left, and are empty then. Closing again does nothing.
    void close() noexcept { core_.close(); }

    /// @brief Tells whether the channel was closed.
    bool closed() const noexcept { return core_.closed(); }

    /// @brief Tells whether the channel is closed and empty. It stays so.
    bool drained() const noexcept { return core_.drained(); }

    /// @brief Returns how many values are in the buffer; others may change that at any time.
    std::size_t size() const noexcept { return core_.size(); }

    /// @brief Walks over the values that arrive; stepping waits for the next.
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;  ///< one pass
        using value_type = T;                               ///< of the channel
        using difference_type = std::ptrdiff_t;             ///< of no use
        using pointer = T*;                                 ///< to the value that was received
        using reference = T&;                               ///< to the value that was received

        /// @brief The end: the channel is closed and drained.
        iterator() noexcept = default;
        /// @brief Receives the first value. @throws operation_cancelled
        explicit iterator(channel& source) : source_(&source) { ++*this; }

        /// @brief Returns the value, which may be moved from.
        T& operator*() noexcept { return *value_; }
        /// @brief Returns the value's address.
        T* operator->() noexcept { return &*value_; }
        /// @brief Receives the next value. @throws operation_cancelled
        iterator& operator++() {
            value_.reset();
            source_->receive_into(value_, deadline::never());
            return *this;
        }
        /// @brief As the prefix form.
        void operator++(int) { ++*this; }
        /// @brief Only the end can be told.
        friend bool operator==(const iterator& a, const iterator& b) noexcept {
            return a.value_.has_value() == b.value_.has_value();
        }
        /// @brief Only the end can be told.
        friend bool operator!=(const iterator& a, const iterator& b) noexcept { return !(a == b); }

    private:
        channel* source_ = nullptr;
        std::optional<T> value_;
    };

    /// @brief Receives the first value: for range-for, which receives until the channel is closed
    /// and drained.
    iterator begin() { return iterator(*this); }
    /// @brief Returns the end.
    iterator end() noexcept { return iterator(); }

    /// @brief Returns what select() works on.
    const detail::channel_core& core() const noexcept { return core_; }

private:
    void receive_into(std::optional<T>& empty, deadline until) {
        if (!core_.receive_at_once(empty)) {
            core_.receive(&empty, until);
        }
    }

    detail::channel_core core_;
};

}  // namespace coir
