// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/select_case.hpp>

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace coir {
class event;
}  // namespace coir

namespace coir::detail {

class future_state;

// Keeps a parameter from taking part in deduction.
template <class T>
struct same_type_of {
    using type = T;
};
template <class T>
using same_type = typename same_type_of<T>::type;

// A case as select() sees it: run() calls its function. A case stays where it was made.
class any_case {
public:
    any_case() = default;
    any_case(const any_case&) = delete;
    any_case& operator=(const any_case&) = delete;
};

// It has a part() that can be waited for.
class waiting_case : public any_case {};

// The result of a future is there. The future keeps its state alive meanwhile.
class COIR_API publication_case final : public select_case {
public:
    explicit publication_case(future_state& of) noexcept;

    attempt try_now() noexcept override;

private:
    future_state& of_;
};

// An event lets the select pass.
class COIR_API event_passage final : public select_case {
public:
    explicit event_passage(event& of) noexcept;

    attempt try_now() noexcept override;

    // Waits for the set() that let it pass to leave the event, which may be destroyed then.
    void let_go() noexcept {
        lock();
        unlock();
    }

private:
    event& of_;
};

template <class F>
class deadline_case : public any_case {
public:
    template <class G>
    deadline_case(deadline until, G&& fn) : until_(until), fn_(std::forward<G>(fn)) {}

    deadline until() const noexcept { return until_; }
    decltype(auto) run() { return std::move(fn_)(); }

private:
    deadline until_;
    F fn_;
};

template <class F>
class otherwise_case : public any_case {
public:
    template <class G, class = std::enable_if_t<std::is_constructible_v<F, G&&>>>
    otherwise_case(G&& fn) : fn_(std::forward<G>(fn)) {}  // NOLINT(google-explicit-constructor)

    decltype(auto) run() { return std::move(fn_)(); }

private:
    F fn_;
};

template <class Case>
inline constexpr bool is_otherwise_case = false;
template <class F>
inline constexpr bool is_otherwise_case<otherwise_case<F>> = true;
template <class Case>
inline constexpr bool is_deadline_case = false;
template <class F>
inline constexpr bool is_deadline_case<deadline_case<F>> = true;

// As numbers, to be counted.
template <class Case>
inline constexpr int is_otherwise = is_otherwise_case<std::decay_t<Case>> ? 1 : 0;
template <class Case>
inline constexpr int is_deadline = is_deadline_case<std::decay_t<Case>> ? 1 : 0;

// What all functions of a select can return; std::size_t, for a number, where that is nothing.
template <class... Cases>
using select_common = std::common_type_t<decltype(std::declval<Cases&>().run())...>;
template <class... Cases>
using select_result = std::conditional_t<std::is_void_v<select_common<Cases...>>, std::size_t,
                                         select_common<Cases...>>;

// Room for the cases that wait, and what else there is: the earliest deadline, or otherwise().
template <std::size_t Count>
class choice {
public:
    template <class Case>
    void add(Case& one) noexcept {
        if constexpr (is_otherwise<Case> != 0) {
            may_wait_ = false;
            fallback_ = seen_;
        } else if constexpr (is_deadline<Case> != 0) {
            if (fallback_ == no_fallback || one.until() < until_) {
                until_ = one.until();
                fallback_ = seen_;
            }
        } else {
            cases_[waiting_++] = {&one.part(), seen_};
        }
        ++seen_;
    }

    std::size_t make() {
        return select_among(cases_.data(), places_.data(), waiting_, may_wait_, until_, fallback_);
    }

private:
    static constexpr std::size_t no_fallback = static_cast<std::size_t>(-1);

    std::array<select_entry, Count> cases_;
    std::array<wait_place*, Count> places_;
    std::size_t waiting_ = 0;
    std::size_t seen_ = 0;
    bool may_wait_ = true;
    deadline until_ = deadline::never();
    std::size_t fallback_ = no_fallback;
};

template <class... Cases>
std::size_t choose(Cases&... cases) {
    choice<sizeof...(Cases)> all;
    (all.add(cases), ...);
    return all.make();
}

template <class Result, std::size_t I = 0, class Case, class... Cases>
Result run_chosen(std::size_t chosen, Case& first, Cases&... others) {
    if constexpr (sizeof...(Cases) != 0) {
        if (chosen != I) {
            return run_chosen<Result, I + 1>(chosen, others...);
        }
    }
    if constexpr (std::is_void_v<decltype(first.run())>) {
        first.run();
        return I;
    } else {
        return first.run();
    }
}

}  // namespace coir::detail
