// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/wait_queue.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace coir::detail {

// The orders in which a queue gives its items out. Only push() may throw, and then it has changed
// nothing.
template <class T>
class fifo_items {
public:
    void push(T&& item) { items_.push_back(std::move(item)); }
    void pop(std::optional<T>& to) noexcept {
        to.emplace(std::move(items_.front()));
        items_.pop_front();
    }
    std::size_t size() const noexcept { return items_.size(); }

private:
    std::deque<T> items_;
};

template <class T>
class lifo_items {
public:
    void push(T&& item) { items_.push_back(std::move(item)); }
    void pop(std::optional<T>& to) noexcept {
        to.emplace(std::move(items_.back()));
        items_.pop_back();
    }
    std::size_t size() const noexcept { return items_.size(); }

private:
    std::vector<T> items_;
};

// The smallest first: a heap by the opposite of Compare.
template <class T, class Compare>
class priority_items {
public:
    void push(T&& item) {
        items_.push_back(std::move(item));
        std::push_heap(items_.begin(), items_.end(), after());
    }
    void pop(std::optional<T>& to) noexcept {
        std::pop_heap(items_.begin(), items_.end(), after());
        to.emplace(std::move(items_.back()));
        items_.pop_back();
    }
    std::size_t size() const noexcept { return items_.size(); }

private:
    static auto after() {
        return [](const T& a, const T& b) {
            return Compare()(b, a);
        };
    }

    std::vector<T> items_;
};

// A queue's items as the core sees them: an item to be put is a T, a place to get one into is an
// empty std::optional<T>.
class item_store {
public:
    virtual void push(void* item) = 0;  // alone may throw
    virtual void pop(void* to) noexcept = 0;
    virtual void hand_over(void* item, void* to) const noexcept = 0;
    virtual std::size_t size() const noexcept = 0;

protected:
    ~item_store() = default;
};

template <class T, class Items>
class typed_item_store final : public item_store {
public:
    void push(void* item) override { items_.push(std::move(*static_cast<T*>(item))); }
    void pop(void* to) noexcept override { items_.pop(*static_cast<std::optional<T>*>(to)); }
    void hand_over(void* item, void* to) const noexcept override {
        static_cast<std::optional<T>*>(to)->emplace(std::move(*static_cast<T*>(item)));
    }
    std::size_t size() const noexcept override { return items_.size(); }

private:
    Items items_;
};

// The part of a queue that does not depend on the type of its items. Nobody waits in getters_
// unless there is no item, and in putters_ unless there is no room; so nobody overtakes.
//
// A std::mutex and no spin lock, as what happens under it allocates, and compares items. Nothing
// under it waits for a fiber.
class COIR_API queue_core {
public:
    queue_core(item_store& items, std::size_t limit) noexcept : items_(items), limit_(limit) {}
    queue_core(const queue_core&) = delete;
    queue_core& operator=(const queue_core&) = delete;

    // False if `until` has passed, or if it would have to wait. Throws queue_shut_down.
    bool put(void* item, deadline until);
    bool try_put(void* item);
    bool get(void* to, deadline until);
    bool try_get(void* to);

    void task_done();
    bool join(deadline until);

    void shut_down() noexcept;
    bool drop_one(void* to) noexcept;  // takes an item out as if its work were done

    std::size_t size() const noexcept;
    std::size_t limit() const noexcept { return limit_; }

private:
    struct wait;

    static wait& wait_of(const claimed_waiter& who) noexcept;
    bool put_now(std::unique_lock<std::mutex>& guard, void* item);
    bool get_now(std::unique_lock<std::mutex>& guard, void* to);
    bool park(std::unique_lock<std::mutex>& guard, wait& w, deadline until, const char* what);
    static claimed_waiter* claim_all(wait_queue& queue, claimed_waiter* end) noexcept;
    static void tell(claimed_waiter first) noexcept;
    [[noreturn]] static void throw_shut_down(const char* what);

    item_store& items_;
    const std::size_t limit_;
    mutable std::mutex mutex_;  // guards the items and:
    bool shut_down_ = false;
    std::size_t unfinished_ = 0;  // items put whose work was not reported done
    wait_queue putters_;
    wait_queue getters_;
    wait_queue joiners_;
};

}  // namespace coir::detail
