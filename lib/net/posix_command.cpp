// SPDX-License-Identifier: BSL-1.0
// system, popen, pclose: libc's own, on a thread of the blocking pool. What they start gets the
// caller's signal mask and not that thread's.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_offload.hpp"
#include "net/posix_signal_mask.hpp"
#include "reactor/wait_io.hpp"

namespace coir::detail {

namespace {

struct status_and_error {
    int status = -1;
    int error = 0;
};

template <class Call>
status_and_error with_error(Call call) noexcept {
    const int status = call();
    return {status, errno};
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

int system(const char* command) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.system(command);
    }
    posix_call call;
    if (!call.begin()) {
        return -1;
    }
    detail::status_and_error ended;
    const int error = detail::offload(ended, [command, mask = detail::signal_mask()] {
        return [copy = detail::copy_of(command), mask] {
            const detail::with_signal_mask of_caller(mask);
            return detail::with_error([&] { return sys.system(detail::pointer_to(copy)); });
        };
    });
    errno = error != 0 ? error : ended.error;
    return call.end(ended.status, true);
}

FILE* popen(const char* command, const char* mode) noexcept {
    if (posix_call::is_for_libc()) {
        return sys.popen(command, mode);
    }
    posix_call call;
    if (!call.begin()) {
        return nullptr;
    }
    FILE* opened = nullptr;
    int reason = 0;
    const int error = detail::offload_and_await([&, mask = detail::signal_mask()] {
        const detail::with_signal_mask of_caller(mask);
        opened = sys.popen(command, mode);
        reason = errno;
    });
    errno = error != 0 ? error : reason;
    call.end(opened != nullptr ? 0 : -1, true);
    return opened;
}

int pclose(FILE* stream) noexcept {
    if (posix_call::is_for_libc()) {
        const detail::io_closing closing(::fileno(stream));
        return sys.pclose(stream);
    }
    posix_call call;
    detail::status_and_error ended;
    const int error = detail::offload_release(ended, [stream] {
        const detail::io_closing closing(::fileno(stream));
        return detail::with_error([stream] { return sys.pclose(stream); });
    });
    errno = error != 0 ? error : ended.error;
    return call.end(ended.status, true);
}

}  // namespace coir::posix
