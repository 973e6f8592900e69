// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/spawn.hpp>
#include <coir/detail/task.hpp>
#include <coir/export.hpp>
#include <coir/fiber.hpp>
#include <coir/task_group.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// @file
/// @brief Waiting for several callables at once: gather, race and as_completed.

namespace coir {

namespace detail {

class completion_group;

// One of its tasks: tells it of the end, also if there was no stack to be had for the task.
template <class Body>
class numbered_task {
public:
    numbered_task(completion_group& group, std::size_t number, Body body)
        : group_(&group), number_(number), body_(std::move(body)) {}

    void operator()();
    void could_not_start(const std::exception_ptr& why) noexcept;

private:
    completion_group* group_;
    std::size_t number_;
    Body body_;
};

// Tasks, numbered from 0, and the order in which they end. One that fails does not stop the others:
// its future has the failure. The tasks may end on any carrier; all else is the owner's to call.
class COIR_API completion_group {
public:
    completion_group();
    completion_group(const completion_group&) = delete;
    completion_group& operator=(const completion_group&) = delete;
    ~completion_group();  // cancels and awaits the tasks

    template <class F>
    auto enter(F&& fn) -> future<task_result<F>> {
        using function = std::decay_t<F>;
        using body = task_body<task_result<F>, function>;
        auto result = future_ref<task_result<F>>::make();
        attach_task(
            *result,
            spawn_as<function>(
                fiber_options({}, 0, {}), handle_kind::joinable, &as_group(*tasks_),
                numbered_task<body>(*this, make_room(),
                                    body(result, failure_goes_to::future, std::forward<F>(fn)))));
        return future<task_result<F>>(std::move(result));
    }

    void ended(std::size_t number) noexcept;

    // Waits for the end of one more task, and gives its number. Pre: one is left.
    std::size_t next();

    // The number of the first task to end; all others have been cancelled and have ended too.
    std::size_t decide();

    std::size_t left() const noexcept { return entered_ - taken_; }

private:
    std::size_t make_room();  // and gives the number of the task that it is for

    std::size_t entered_ = 0;
    std::size_t taken_ = 0;  // by next(), from the front
    std::mutex mutex_;       // no spin lock: room is made, and memory taken, while tasks end
    std::vector<std::size_t> ended_;  // an element a task; the first ended_count_ are in use
    std::size_t ended_count_ = 0;
    wait_queue changed_;
    std::unique_ptr<task_group_state> tasks_;
};

template <class Body>
void numbered_task<Body>::operator()() {
    struct at_end {
        ~at_end() { task.group_->ended(task.number_); }
        numbered_task& task;
    } const guard{*this};
    body_();
}

template <class Body>
void numbered_task<Body>::could_not_start(const std::exception_ptr& why) noexcept {
    body_.could_not_start(why);
    group_->ended(number_);
}

// void as a value.
template <class R>
using value_or_monostate = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

template <class R>
value_or_monostate<R> get_value(future<R>& from) {
    if constexpr (std::is_void_v<R>) {
        from.get();
        return {};
    } else {
        return from.get();
    }
}

template <std::size_t I = 0, class Result, class Futures>
Result value_of_winner(Futures& futures, std::size_t winner) {
    if constexpr (I < std::tuple_size_v<Futures>) {
        if (winner != I) {
            return value_of_winner<I + 1, Result>(futures, winner);
        }
        return Result(std::in_place_index<I>, get_value(std::get<I>(futures)));
    } else {
        throw std::logic_error("coir::race: no such winner");
    }
}

template <class Range>
using element_result = decltype((*std::begin(std::declval<Range&>()))());

}  // namespace detail

/// Calls all `fns` at once, a fiber each, and waits for all of them.
/// @returns what they return, in the order of the arguments; `std::monostate` for void.
/// @throws the first exception that escapes one, when the others have been cancelled and have
/// ended.
template <class F, class... Fs, class = std::enable_if_t<std::is_invocable_v<F&>>>
auto gather(F&& fn, Fs&&... fns) -> std::tuple<detail::value_or_monostate<decltype(fn())>,
                                               detail::value_or_monostate<decltype(fns())>...> {
    task_group group;
    // In braces: they start in the order in which they are written.
    std::tuple<future<decltype(fn())>, future<decltype(fns())>...> futures{
        group.spawn([&fn]() -> decltype(fn()) { return fn(); }),
        group.spawn([&fns]() -> decltype(fns()) { return fns(); })...};
    group.join();
    return std::apply(
        [](auto&... each) {
            return std::tuple<detail::value_or_monostate<decltype(fn())>,
                              detail::value_or_monostate<decltype(fns())>...>(
                detail::get_value(each)...);
        },
        futures);
}

/// The same for a range of callables.
/// @returns a vector of what they return, in their order; nothing where they return void.
template <class Range, class R = detail::element_result<Range>>
auto gather(Range&& fns) -> std::conditional_t<std::is_void_v<R>, void, std::vector<R>> {
    task_group group;
    std::vector<future<R>> futures;
    for (auto&& fn : fns) {
        futures.push_back(group.spawn([&fn]() -> R { return fn(); }));
    }
    group.join();
    if constexpr (!std::is_void_v<R>) {
        std::vector<R> results;
        results.reserve(futures.size());
        for (auto& each : futures) {
            results.push_back(each.get());
        }
        return results;
    }
}

/// Calls all `fns` at once, a fiber each, until the first of them ends, by a result or an
/// exception; the others are cancelled, and awaited.
/// @returns what the first returned: a T where all return T, else a `std::variant` with one
/// alternative a callable, in their order (`std::monostate` for void).
/// @throws what escaped the first; operation_cancelled if the caller is cancelled.
template <class F, class... Fs, class = std::enable_if_t<std::is_invocable_v<F&>>>
decltype(auto) race(F&& fn, Fs&&... fns) {
    using first_result = decltype(fn());
    if constexpr ((std::is_same_v<first_result, decltype(fns())> && ...)) {
        detail::completion_group tasks;
        std::vector<future<first_result>> futures;
        futures.push_back(tasks.enter([&fn]() -> first_result { return fn(); }));
        (futures.push_back(tasks.enter([&fns]() -> first_result { return fns(); })), ...);
        return futures[tasks.decide()].get();
    } else {
        using result = std::variant<detail::value_or_monostate<first_result>,
                                    detail::value_or_monostate<decltype(fns())>...>;
        detail::completion_group tasks;
        // Braces: the tasks are entered in the order in which they are written.
        std::tuple<future<first_result>, future<decltype(fns())>...> futures{
            tasks.enter([&fn]() -> first_result { return fn(); }),
            tasks.enter([&fns]() -> decltype(fns()) { return fns(); })...};
        return detail::value_of_winner<0, result>(futures, tasks.decide());
    }
}

/// The same for a range of callables.
/// @throws std::invalid_argument if it is empty.
template <class Range, class R = detail::element_result<Range>>
R race(Range&& fns) {
    detail::completion_group tasks;
    std::vector<future<R>> futures;
    for (auto&& fn : fns) {
        futures.push_back(tasks.enter([&fn]() -> R { return fn(); }));
    }
    return futures[tasks.decide()].get();
}

/// @brief The futures of several tasks in the order in which the tasks end: what as_completed()
/// returns, to be used in a range-for.
/// @lifetime Its destructor cancels and awaits the tasks that are left.
template <class R>
class completions {
public:
    /// @brief Walks from one ended task to the next; stepping waits.
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;  ///< one pass
        using value_type = future<R>;                       ///< a future that is ready
        using difference_type = std::ptrdiff_t;             ///< of no use
        using pointer = future<R>*;                         ///< to a future
        using reference = future<R>&;                       ///< to a future

        /// The end.
        iterator() noexcept = default;
        /// Waits for the first task to end. @throws operation_cancelled
        explicit iterator(completions& owner) : owner_(&owner) { ++*this; }

        /// @returns the future of the task that has ended.
        reference operator*() const noexcept { return owner_->futures_[number_]; }
        /// @returns the future of the task that has ended.
        pointer operator->() const noexcept { return &**this; }
        /// Waits for the next task to end. @throws operation_cancelled
        iterator& operator++() {
            if (owner_->tasks_.left() == 0) {
                owner_ = nullptr;
            } else {
                number_ = owner_->tasks_.next();
            }
            return *this;
        }
        /// As the prefix form.
        void operator++(int) { ++*this; }
        /// Only the end can be told.
        friend bool operator==(const iterator& a, const iterator& b) noexcept {
            return a.owner_ == b.owner_;
        }
        /// Only the end can be told.
        friend bool operator!=(const iterator& a, const iterator& b) noexcept { return !(a == b); }

    private:
        completions* owner_ = nullptr;
        std::size_t number_ = 0;
    };

    /// Spawns a fiber for each callable of `fns`, which are moved or copied into their fibers.
    template <class Range>
    explicit completions(Range&& fns) {
        for (auto&& fn : fns) {
            futures_.push_back(tasks_.enter(fn));
        }
    }
    completions(const completions&) = delete;
    completions& operator=(const completions&) = delete;

    /// Waits for the first task to end.
    iterator begin() { return iterator(*this); }
    /// @returns the end.
    iterator end() noexcept { return iterator(); }

private:
    std::vector<future<R>> futures_;
    detail::completion_group tasks_;
};

/// Calls all `fns` at once, a fiber each; the range-for over the result gets their futures, ready,
/// in the order in which they end. A task that fails does not stop the others; its future throws.
template <class Range, class R = detail::element_result<Range>>
completions<R> as_completed(Range&& fns) {
    return completions<R>(std::forward<Range>(fns));
}

}  // namespace coir
