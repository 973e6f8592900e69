// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/blocking.hpp>
#include <coir/this_fiber.hpp>

#include <chrono>
#include <future>
#include <thread>
#include <type_traits>
#include <utility>

/// @file
/// @brief Results of `std::async`, `std::promise` and `std::thread`, awaited without blocking the
/// carrier.
///
/// std's futures and threads tell nobody of their end but a thread that blocks on them. So each of
/// these calls that has to wait takes a thread of the blocking pool for as long: fine for a few
/// from code that is there already, and for new code coir::promise does without.

namespace coir {

/// Waits for a std::future's result. Where it is ready nothing waits; on a plain thread this is
/// `get()`.
///
/// @par Cancellation
/// A cancelled caller goes on at once. The future is gone then: the pool's thread drops the result
/// when it comes.
/// @returns the result. @throws what the future holds; std::future_error if it holds no state;
/// operation_cancelled.
template <class T>
T await(std::future<T>&& future) {
    this_fiber::check_cancelled();
    if (!future.valid()) {
        throw std::future_error(std::future_errc::no_state);
    }
    if (future.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
        return future.get();
    }
    return run_blocking(
        abandon_on_cancel, [](std::future<T> own) -> T { return own.get(); }, std::move(future));
}

/// The same for a std::shared_future, which stays the caller's, and with it the result.
template <class T>
auto await(const std::shared_future<T>& future) -> decltype(future.get()) {
    this_fiber::check_cancelled();
    if (!future.valid()) {
        throw std::future_error(std::future_errc::no_state);
    }
    if (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        run_blocking(
            abandon_on_cancel, [](std::shared_future<T> own) { own.wait(); }, future);
    }
    return future.get();
}

/// `thread.join()` on the blocking pool.
///
/// @par Cancellation
/// A caller that is cancelled before the join has begun leaves the thread joinable. After that it
/// is awaited, since what it runs may refer to the caller's stack: tell the thread to end. The next
/// call that may wait throws.
/// @throws std::system_error (invalid_argument) if not joinable; operation_cancelled.
inline void join(std::thread& thread) {
    run_blocking([&] { thread.join(); });
}

#ifdef __cpp_lib_jthread
/// The same for a std::jthread.
inline void join(std::jthread& thread) {
    run_blocking([&] { thread.join(); });
}
#endif

}  // namespace coir
