// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/function_ref.hpp>
#include <coir/detail/result_of_call.hpp>
#include <coir/export.hpp>
#include <coir/run_options.hpp>

#include <stdexcept>

namespace coir {

/// @brief Thrown by run() when every fiber waited for another, with no timer armed and nobody
/// outside who could have woken one. `what()` is the report: each fiber's name, where it was
/// spawned, what it waits for and for how long.
class COIR_API deadlock_error : public std::logic_error {
public:
    using std::logic_error::logic_error;
    ~deadlock_error() override;
};

namespace detail {
COIR_API void run_main_fiber(const run_options& options, function_ref body);
}

/// Makes the calling thread a carrier of fibers, calls `fn` as the main fiber, on the thread's own
/// stack, and returns when all is over: when the main fiber has ended, what still runs is cancelled
/// and awaited. Nothing outlives it.
///
/// A deadline of a scope around the call reaches in.
/// @returns what `fn` returns. @throws what escapes `fn`.
/// @throws std::system_error (operation_not_permitted) inside another run() of the same thread;
/// other codes if the system refuses a descriptor or memory.
/// @throws std::invalid_argument naming the option that is out of range.
/// @throws deadlock_error
template <class F>
auto run(const run_options& options, F&& fn) -> decltype(fn()) {
    detail::result_of_call<decltype(fn())> result;
    auto body = [&] {
        result.assign(fn);
    };
    detail::run_main_fiber(options, body);
    return result.take();
}

/// The same with the default options.
template <class F>
auto run(F&& fn) -> decltype(fn()) {
    return run(run_options{}, fn);
}

}  // namespace coir
