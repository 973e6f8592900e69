// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/libc_only.hpp"
#include "net/posix_call.hpp"
#include "net/posix_retry_pace.hpp"

#include <coir/blocking.hpp>
#include <coir/cancellation.hpp>
#include <coir/timeout.hpp>

#include <atomic>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

// Calls of libc that can only be made as a whole, on a thread of the blocking pool. On a plain
// thread they are made there. Either way libc's functions are libc's own meanwhile.
namespace coir::detail {

// Makes a call that may throw as run_blocking() does. @returns 0, or the errno of what kept it from
// running to its end.
template <class Call>
int errno_of_offloading(Call make) noexcept {
    try {
        make();
        return 0;
    } catch (const operation_cancelled&) {
        return errno_of_cancelled_wait();
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    } catch (const std::system_error& error) {
        return error.code().value();  // no thread could be started
    } catch (...) {
        return EAGAIN;
    }
}

// Makes the call that `prepare` returns, which owns all that it uses, copies of the caller's things
// for example: a caller that is cancelled goes on at once.
template <class Result, class Prepare>
int offload(Result& result, Prepare prepare) noexcept {
    return errno_of_offloading([&] {
        result = run_blocking(abandon_on_cancel, [call = prepare()]() mutable {
            const libc_only no_hooks;
            return call();
        });
    });
}

// Makes a call that uses the caller's variables: once it runs, a cancellation waits for its end.
template <class Call>
int offload_and_await(Call call) noexcept {
    return errno_of_offloading([&] {
        run_blocking([&] {
            const libc_only no_hooks;
            call();
        });
    });
}

inline std::optional<std::string> copy_of(const char* text) {
    return text != nullptr ? std::optional<std::string>(text) : std::nullopt;
}

inline const char* pointer_to(const std::optional<std::string>& text) noexcept {
    return text ? text->c_str() : nullptr;
}

// The same for a call that lets go of something and must be made whatever comes: who is cancelled,
// or has been, waits only until it has begun. It is made once, and owns all that it uses.
template <class Result, class Call>
int offload_release(Result& result, Call call) noexcept {
    std::shared_ptr<std::atomic<bool>> begun;
    const auto prepare = [&] {
        if (begun == nullptr) {
            begun = std::make_shared<std::atomic<bool>>(false);
        }
        return [call, begun = begun] {
            return begun->exchange(true) ? Result() : call();
        };
    };
    const auto is_cancellation = [](int error) {
        return error == ECANCELED || error == ETIMEDOUT;
    };
    int error = offload(result, prepare);
    while (is_cancellation(error) && !begun->load()) {  // beside the cancelled scope, then
        int again = 0;
        shield([&] {
            try_for(retry_pace::longest_pause, [&] {
                Result unheard;
                again = offload(unheard, prepare);
            });
        });
        if (again != 0 && !is_cancellation(again)) {
            error = again;
        }
    }
    if (error == 0 || is_cancellation(error)) {
        return error;
    }
    const libc_only no_hooks;  // there is neither a thread nor memory: the caller blocks
    result = call();
    return 0;
}

}  // namespace coir::detail
