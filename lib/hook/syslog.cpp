// SPDX-License-Identifier: BSL-1.0
// syslog: libc sends to the logger, whose socket may be full, inside of itself. So the message,
// made by libc in the caller's place, is handed to a thread of the blocking pool. It is sent
// whatever is cancelled.
#include "hook/argument_forwarding.hpp"
#include "hook/formatted_text.hpp"
#include "hook/interpose.hpp"
#include "net/posix_offload.hpp"

#include <syslog.h>
#include <cerrno>
#include <cstdarg>
#include <exception>
#include <string>

extern "C" {

// What _FORTIFY_SOURCE makes of them.
void __syslog_chk(int priority, int flag, const char* format, ...);
void __vsyslog_chk(int priority, int flag, const char* format, va_list arguments);

}  // extern "C"

using namespace coir::hook::detail;

namespace {

void log_by_libc(int priority, const directions& how, va_list arguments) {
    if (how.flag) {
        COIR_ORIGINAL(__vsyslog_chk)(priority, *how.flag, how.format, arguments);
    } else {
        COIR_ORIGINAL(vsyslog)(priority, how.format, arguments);
    }
}

void send(int priority, const std::string& message) noexcept {
    COIR_ORIGINAL(syslog)(priority, "%s", message.c_str());
}

void log(int priority, const directions& how, va_list arguments) {
    if (!takes_call()) {
        log_by_libc(priority, how, arguments);
        return;
    }
    const int before = errno;
    va_list again;
    va_copy(again, arguments);
    try {
        const formatted_text text(how, arguments);
        const std::string message(text.data(), text.size());
        int nothing = 0;
        coir::detail::offload_release(nothing, [priority, message] {
            send(priority, message);
            return 0;
        });
    } catch (const std::exception&) {  // there is no memory
        errno = before;
        log_by_libc(priority, how, again);
    }
    va_end(again);
    errno = before;
}

}  // namespace

COIR_HOOK void syslog(int priority, const char* format, ...) {
    COIR_FORWARD_ARGUMENTS(format, log(priority, {format}, arguments));
}

COIR_HOOK void vsyslog(int priority, const char* format, va_list arguments) {
    log(priority, {format}, arguments);
}

COIR_HOOK void __syslog_chk(int priority, int flag, const char* format, ...) {
    COIR_FORWARD_ARGUMENTS(format, log(priority, {format, flag}, arguments));
}

COIR_HOOK void __vsyslog_chk(int priority, int flag, const char* format, va_list arguments) {
    log(priority, {format, flag}, arguments);
}
