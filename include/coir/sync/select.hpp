// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/async.hpp>
#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/shared_future.hpp>
#include <coir/sync/channel.hpp>
#include <coir/sync/detail/select_case.hpp>
#include <coir/sync/detail/select_run.hpp>
#include <coir/sync/event.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

/// @file
/// @brief Waiting for the first of several things: select and its cases.

namespace coir {

namespace detail {

struct do_nothing {
    template <class... Args>
    void operator()(Args&&...) const noexcept {}
};

template <class T, class F>
class receive_case : public waiting_case {
public:
    template <class G>
    receive_case(channel<T>& from, G&& fn)
        : operation_(from.core().state(), channel_operation::direction::receive, &value_),
          fn_(std::forward<G>(fn)) {}

    select_case& part() noexcept { return operation_; }
    decltype(auto) run() { return std::move(fn_)(std::move(value_)); }

private:
    std::optional<T> value_;
    channel_operation operation_;
    F fn_;
};

template <class T, class F>
class send_case : public waiting_case {
public:
    // An rvalue stays where it is until it is sent; a copy is made now, as making it may fail.
    template <class G>
    send_case(channel<T>& to, T&& value, G&& fn)
        : operation_(to.core().state(), channel_operation::direction::send, &value),
          fn_(std::forward<G>(fn)) {}
    template <class G>
    send_case(channel<T>& to, const T& value, G&& fn)
        : copy_(value),
          operation_(to.core().state(), channel_operation::direction::send, &*copy_),
          fn_(std::forward<G>(fn)) {}

    select_case& part() noexcept { return operation_; }
    decltype(auto) run() {
        operation_.throw_unless_sent();
        return std::move(fn_)();
    }

private:
    std::optional<T> copy_;
    channel_operation operation_;
    F fn_;
};

template <class F>
class event_case : public waiting_case {
public:
    template <class G>
    event_case(event& of, G&& fn) : passage_(of), fn_(std::forward<G>(fn)) {}

    select_case& part() noexcept { return passage_; }
    decltype(auto) run() {
        passage_.let_go();
        return std::move(fn_)();
    }

private:
    event_passage passage_;
    F fn_;
};

template <class F>
class ready_case : public waiting_case {
public:
    template <class G>
    ready_case(future_state& of, G&& fn) : publication_(of), fn_(std::forward<G>(fn)) {}

    select_case& part() noexcept { return publication_; }
    decltype(auto) run() { return std::move(fn_)(); }

private:
    publication_case publication_;
    F fn_;
};

}  // namespace detail

/// @brief A case of select(): a value arrives on `from`, or the channel is closed and drained.
/// `fn` is called with a `std::optional<T>`, which is empty in the latter case.
template <class T, class F = detail::do_nothing>
detail::receive_case<T, std::decay_t<F>> on_receive(channel<T>& from, F&& fn = {}) {
    return {from, std::forward<F>(fn)};
}

/// @brief A case of select(): `to` takes `value`, which is moved from only then; then `fn()` is
/// called. If the channel is closed, select() throws channel_closed.
template <class T, class F = detail::do_nothing>
detail::send_case<T, std::decay_t<F>> on_send(channel<T>& to, detail::same_type<T>&& value,
                                              F&& fn = {}) {
    return {to, std::move(value), std::forward<F>(fn)};
}

/// @brief The same for a copy of `value`, which is made at once.
template <class T, class F = detail::do_nothing>
detail::send_case<T, std::decay_t<F>> on_send(channel<T>& to, const detail::same_type<T>& value,
                                              F&& fn = {}) {
    return {to, value, std::forward<F>(fn)};
}

/// @brief A case of select(): `of` is set, which resets an automatic event if this case is chosen;
/// then `fn()` is called.
template <class F = detail::do_nothing>
detail::event_case<std::decay_t<F>> on_event(event& of, F&& fn = {}) {
    return {of, std::forward<F>(fn)};
}

/// @brief A case of select(): the result of `of` is there; it is left to `fn()` to get it.
/// @throws std::future_error (no_state)
template <class T, class F = detail::do_nothing>
detail::ready_case<std::decay_t<F>> on_ready(const future<T>& of, F&& fn = {}) {
    return {of.state(), std::forward<F>(fn)};
}

/// @brief The same for a shared_future.
template <class T, class F = detail::do_nothing>
detail::ready_case<std::decay_t<F>> on_ready(const shared_future<T>& of, F&& fn = {}) {
    return {of.state(), std::forward<F>(fn)};
}

/// @brief A case of select(): nothing else has happened until `until`.
template <class F = detail::do_nothing>
detail::deadline_case<std::decay_t<F>> on_deadline(deadline until, F&& fn = {}) {
    return {until, std::forward<F>(fn)};
}

/// @brief A case of select(): nothing else has happened for `timeout`.
template <class Rep, class Period, class F = detail::do_nothing>
detail::deadline_case<std::decay_t<F>> on_timeout(std::chrono::duration<Rep, Period> timeout,
                                                  F&& fn = {}) {
    return {deadline::after(timeout), std::forward<F>(fn)};
}

/// @brief A case of select(): nothing else can happen at once. With it a select does not wait.
template <class F = detail::do_nothing>
detail::otherwise_case<std::decay_t<F>> otherwise(F&& fn = {}) {
    return {std::forward<F>(fn)};
}

/// @brief Waits until one of `cases` happens, and calls that case's function: Go's select, for
/// fibers and threads.
///
/// ```cpp
/// coir::select(
///     coir::on_receive(jobs, [&](std::optional<job> j) { ... }),
///     coir::on_send(results, std::move(value), [&] { ... }),
///     coir::on_event(stop, [&] { ... }),
///     coir::on_ready(task, [&] { ... }),
///     coir::on_timeout(2s, [&] { ... }));
/// ```
///
/// Exactly one case happens. The others leave no trace: nothing is taken from a channel, and
/// nothing moved into one, for a case that was not chosen, nor if the select is cancelled. The
/// cases are written in the call; a channel may stand in several. Functions may be left out.
///
/// @suspends Until a case happens; with otherwise() never.
/// @threadsafety From fibers of any carrier and from plain threads, on the same channels.
/// @errors channel_closed for a send on a closed channel; what the chosen function throws. No
/// allocation, but for an unbounded channel's.
/// @cancellation A cancellation point, whether or not it needs to wait, with otherwise() as well.
/// @order Where several cases can happen at once, each of them is equally likely to be chosen; a
/// deadline that has passed, and otherwise(), only if no other can. A select that has to wait takes
/// its place behind those who wait for the same channel, and gets what comes first.
/// @lifetime The functions are called after the select has let go of everything. They may use the
/// same channels.
/// @returns what the chosen function returned, as the common type of all; where they return
/// nothing, the chosen case's number, from 0.
/// @example `test/unit/sync/select.cpp`
template <class... Cases>
auto select(Cases&&... cases) -> detail::select_result<Cases...> {
    static_assert(sizeof...(Cases) > 0, "a select needs a case");
    static_assert((std::is_base_of_v<detail::any_case, std::decay_t<Cases>> && ...),
                  "a select takes cases: on_receive(...), on_send(...), on_ready(...), ...");
    static_assert((!std::is_lvalue_reference_v<Cases> && ...),
                  "a select's cases are written in its call");
    static_assert((detail::is_otherwise<Cases> + ... + 0) <= 1,
                  "a select can do one thing otherwise");
    static_assert(
        (detail::is_otherwise<Cases> + ... + 0) == 0 || (detail::is_deadline<Cases> + ... + 0) == 0,
        "a select with otherwise() does not wait, so no deadline of it can pass");
    const std::size_t chosen = detail::choose(cases...);
    return detail::run_chosen<detail::select_result<Cases...>>(chosen, cases...);
}

}  // namespace coir
