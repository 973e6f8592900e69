// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/cancellation.hpp>
#include <coir/deadline.hpp>
#include <coir/detail/function_ref.hpp>
#include <coir/detail/result_of_call.hpp>
#include <coir/export.hpp>

#include <chrono>
#include <system_error>
#include <type_traits>

namespace coir {

/// @brief Thrown by with_timeout() when its time ran out. Its code is std::errc::timed_out.
class COIR_API timed_out : public std::system_error {
public:
    timed_out();
    ~timed_out() override;
};

namespace detail {
// Runs body in a scope that ends at `until`. True if the body came to its end in time.
COIR_API bool run_until(deadline until, function_ref body);
[[noreturn]] COIR_API void throw_timed_out();
}  // namespace detail

/// Calls `fn` and ends it if it still waits at `until`: the call that waits then throws
/// operation_cancelled (a libc-shaped one fails with `ETIMEDOUT`), and timed_out is thrown from
/// here.
///
/// Scopes nest, and the tightest wins. Code that does not wait is not interrupted: if `fn` returns
/// late without a wait that failed, its result counts.
/// @returns what `fn` returns. @throws timed_out, and what `fn` throws.
template <class F>
auto with_deadline(deadline until, F&& fn) -> decltype(fn()) {
    detail::result_of_call<decltype(fn())> result;
    auto body = [&] {
        result.assign(fn);
    };
    if (!detail::run_until(until, body)) {
        detail::throw_timed_out();
    }
    return result.take();
}

/// The same with a timeout: with_deadline(deadline::after(timeout), fn). A timeout of zero or less
/// has passed already; one too long for the clock never does.
template <class Rep, class Period, class F>
auto with_timeout(std::chrono::duration<Rep, Period> timeout, F&& fn) -> decltype(fn()) {
    return with_deadline(deadline::after(timeout), fn);
}

/// Calls `fn` as with_timeout() does, but tells by its result that the time ran out.
/// @returns a std::optional of the result, or of a std::reference_wrapper to it where `fn` returns
/// a reference; std::nullopt if the time ran out. Where `fn` returns void, whether it came to its
/// end.
template <class Rep, class Period, class F>
auto try_for(std::chrono::duration<Rep, Period> timeout, F&& fn) ->
    typename detail::optional_result<decltype(fn())>::type {
    detail::result_of_call<decltype(fn())> result;
    auto body = [&] {
        result.assign(fn);
    };
    const bool ended = detail::run_until(deadline::after(timeout), body);
    if constexpr (std::is_void_v<decltype(fn())>) {
        return ended;
    } else {
        return ended ? result.take_optional() : std::nullopt;
    }
}

}  // namespace coir
