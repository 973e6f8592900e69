// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/queue_core.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief Thrown by the calls on a queue that was shut down: asyncio.QueueShutDown.
class COIR_API queue_shut_down : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~queue_shut_down() override;
};

/// @brief asyncio.Queue for fibers and threads: items on their way from those who put them to those
/// who get them, and a count of the work that is left.
///
/// Who puts an item counts one piece of work; who has got it calls `task_done()` when the work is
/// done; `join()` waits until all is. Where that is not needed a channel is simpler, and select()
/// takes it. lifo_queue and priority_queue give items out in another order.
///
/// T is any object type that moves without throwing; it need not be copyable. Its moves, its
/// comparison and its allocations run under a mutex: they must not wait, nor use the queue.
///
/// @suspends `put()` waits for room, `get()` for an item, `join()` for the work's end. `try_...`
/// never wait.
/// @threadsafety Everything may be called from fibers of any carrier and from plain threads at
/// once.
/// @errors After shut_down() puts throw queue_shut_down, and gets do once nothing is left. An item
/// that there is no memory for is std::bad_alloc where it was put.
/// @cancellation All calls that may wait are cancellation points, whether or not they need to. One
/// that is cancelled or times out has put nothing and got nothing: an item that was to be moved in
/// is still where it was.
/// @order First come, first served, for those who put and for those who get.
/// @lifetime It must outlive the calls that are made on it. Destroying it while somebody waits is
/// an error (asserted). Items that are left are destroyed with it.
/// @example `test/unit/sync/queue.cpp`
template <class T, class Items = detail::fifo_items<T>>
class queue {
    static_assert(std::is_object_v<T> && !std::is_const_v<T>, "a queue holds objects by value");
    static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                  "a queue's items must move without throwing; put a std::unique_ptr instead");

public:
    /// @brief The type of the items.
    using value_type = T;

    /// @brief Makes a queue for at most `max_size` items at a time; for any number if that is 0, as
    /// in asyncio.
    explicit queue(std::size_t max_size = 0) noexcept
        : core_(items_, max_size != 0 ? max_size : std::numeric_limits<std::size_t>::max()) {}
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;

    /// @brief Puts an item, waiting for room for as long as that takes. An rvalue is moved from
    /// only when it is put.
    /// @throws queue_shut_down; operation_cancelled
    template <class U = T, class = std::enable_if_t<std::is_convertible_v<U&&, T>>>
    void put(U&& item) {
        put_until(std::forward<U>(item), deadline::never());
    }

    /// @brief Puts an item, waiting for room until `until`.
    /// @returns false if that has passed; an rvalue was then not moved from.
    /// @throws queue_shut_down; operation_cancelled
    template <class U = T, class = std::enable_if_t<std::is_convertible_v<U&&, T>>>
    bool put_until(U&& item, deadline until) {
        return with_item(std::forward<U>(item), [&](void* made) { return core_.put(made, until); });
    }

    /// @brief Puts an item, waiting for room for at most `timeout`. @returns as put_until().
    template <class U = T, class Rep, class Period>
    bool put_for(U&& item, std::chrono::duration<Rep, Period> timeout) {
        return put_until(std::forward<U>(item), deadline::after(timeout));
    }

    /// @brief Puts an item if there is room: put_nowait. It never waits, does not switch fibers,
    /// and is no cancellation point. @returns false if it did not.
    /// @throws queue_shut_down
    template <class U = T, class = std::enable_if_t<std::is_convertible_v<U&&, T>>>
    bool try_put(U&& item) {
        return with_item(std::forward<U>(item), [&](void* made) { return core_.try_put(made); });
    }

    /// @brief Gets an item, waiting for as long as that takes.
    /// @throws queue_shut_down; operation_cancelled
    T get() { return *get_until(deadline::never()); }

    /// @brief Gets an item, waiting for it until `until`. @returns empty if that has passed.
    /// @throws queue_shut_down; operation_cancelled
    std::optional<T> get_until(deadline until) {
        std::optional<T> item;
        core_.get(&item, until);
        return item;
    }

    /// @brief Gets an item, waiting for it for at most `timeout`. @returns as get_until().
    template <class Rep, class Period>
    std::optional<T> get_for(std::chrono::duration<Rep, Period> timeout) {
        return get_until(deadline::after(timeout));
    }

    /// @brief Gets an item if there is one: get_nowait. It never waits, does not switch fibers, and
    /// is no cancellation point.
    /// @throws queue_shut_down
    std::optional<T> try_get() {
        std::optional<T> item;
        core_.try_get(&item);
        return item;
    }

    /// @brief Reports that the work on one item that was got is done.
    /// @throws std::logic_error if that was reported for every item already.
    void task_done() { core_.task_done(); }

    /// @brief Waits until the work on every item that was put is done.
    /// @throws operation_cancelled
    void join() { core_.join(deadline::never()); }

    /// @brief Waits for that until `until`. @returns false if that has passed.
    /// @throws operation_cancelled
    bool join_until(deadline until) { return core_.join(until); }

    /// @brief Shuts the queue down: nothing more can be put, and once nothing is left, nothing got.
    /// Those who wait for what does not come any more are told. Again it does nothing.
    void shut_down() noexcept { core_.shut_down(); }

    /// @brief Shuts the queue down and drops what is left, as if the work on it were done.
    void shut_down_now() noexcept {
        core_.shut_down();
        for (std::optional<T> dropped; core_.drop_one(&dropped);) {
            dropped.reset();
        }
    }

    /// @brief Returns how many items are in the queue: qsize. Others may change that at any time.
    std::size_t size() const noexcept { return core_.size(); }

    /// @brief Tells whether no item is in the queue.
    bool empty() const noexcept { return core_.size() == 0; }

    /// @brief Tells whether there is no room.
    bool full() const noexcept { return core_.size() >= core_.limit(); }

private:
    template <class U, class Put>
    static bool with_item(U&& item, Put put) {
        if constexpr (std::is_same_v<U, T>) {
            return put(&item);
        } else {
            return with_item(T(std::forward<U>(item)), put);
        }
    }

    detail::typed_item_store<T, Items> items_;
    detail::queue_core core_;
};

/// @brief asyncio.LifoQueue: a queue that gives out what was put last.
template <class T>
using lifo_queue = queue<T, detail::lifo_items<T>>;

/// @brief asyncio.PriorityQueue: a queue that gives out the smallest item, by `Compare`, which must
/// not throw. Which one of equals is not said.
template <class T, class Compare = std::less<T>>
using priority_queue = queue<T, detail::priority_items<T, Compare>>;

}  // namespace coir
