// SPDX-License-Identifier: BSL-1.0
// warn, err, error and their like: libc's own print inside of libc.
#include "hook/argument_forwarding.hpp"
#include "hook/interpose.hpp"
#include "hook/standard_error.hpp"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <cstdarg>
#include <cstring>

extern "C" {

// Of <error.h>, which may define the functions inline.
void error(int status, int number, const char* format, ...);
void error_at_line(int status, int number, const char* file, unsigned line, const char* format,
                   ...);
extern void (*error_print_progname)();
extern unsigned error_message_count;
extern int error_one_per_line;

}  // extern "C"

using namespace coir::hook::detail;

namespace {

enum class reason : bool { none, of_errno };

void tell(const char* format, va_list arguments, reason why) noexcept {
    const int number = errno;
    char buffer[1024];
    const char* const text =
        why == reason::of_errno ? ::strerror_r(number, buffer, sizeof buffer) : "";
    {
        const standard_error out;
        if (format == nullptr) {
            out.print("%s: %s\n", ::program_invocation_short_name, text);
        } else {
            out.print("%s: ", ::program_invocation_short_name);
            errno = number;  // the format may ask for it
            out.print(format, arguments);
            out.print("%s%s\n", why == reason::of_errno ? ": " : "", text);
        }
    }
    errno = number;
}

// As error() ends a message.
void end_message(const standard_error& out, int number, const char* format,
                 va_list arguments) noexcept {
    out.print(format, arguments);
    ++error_message_count;
    if (number != 0) {
        char buffer[1024];
        out.print(": %s", ::strerror_r(number, buffer, sizeof buffer));
    }
    out.put("\n");
    ::fflush(stderr);
}

void begin_message(const standard_error& out, const char* name_format) noexcept {
    if (error_print_progname != nullptr) {
        error_print_progname();
    } else {
        out.put(::program_invocation_name);
        out.put(name_format);
    }
}

void exit_with(int status) {
    if (status != 0) {
        std::exit(status);
    }
}

// Whether a message about a line is to follow another one about it.
bool is_told_already(const char* file, unsigned line) noexcept {
    static const char* last_file = nullptr;
    static unsigned last_line = 0;
    if (error_one_per_line == 0) {
        return false;
    }
    const bool same_file = file == last_file || (file != nullptr && last_file != nullptr &&
                                                 std::strcmp(file, last_file) == 0);
    if (line == last_line && same_file) {
        return true;
    }
    last_file = file;
    last_line = line;
    return false;
}

}  // namespace

COIR_HOOK_OF_FREE_NAME void vwarn(const char* format, va_list arguments) {
    if (takes_call()) {
        tell(format, arguments, reason::of_errno);
    } else {
        COIR_ORIGINAL(vwarn)(format, arguments);
    }
}

COIR_HOOK_OF_FREE_NAME void vwarnx(const char* format, va_list arguments) {
    if (takes_call()) {
        tell(format, arguments, reason::none);
    } else {
        COIR_ORIGINAL(vwarnx)(format, arguments);
    }
}

COIR_HOOK_OF_FREE_NAME [[gnu::noreturn]] void verr(int status, const char* format,
                                                   va_list arguments) {
    if (takes_call()) {
        tell(format, arguments, reason::of_errno);
        std::exit(status);
    }
    COIR_ORIGINAL(verr)(status, format, arguments);
    __builtin_unreachable();
}

COIR_HOOK_OF_FREE_NAME [[gnu::noreturn]] void verrx(int status, const char* format,
                                                    va_list arguments) {
    if (takes_call()) {
        tell(format, arguments, reason::none);
        std::exit(status);
    }
    COIR_ORIGINAL(verrx)(status, format, arguments);
    __builtin_unreachable();
}

namespace {

// By libc's own for the rest, and not by the names above, which may be a program's.
void warn_of(const char* format, va_list arguments, reason why) {
    if (takes_call()) {
        tell(format, arguments, why);
    } else if (why == reason::of_errno) {
        COIR_ORIGINAL(vwarn)(format, arguments);
    } else {
        COIR_ORIGINAL(vwarnx)(format, arguments);
    }
}

}  // namespace

COIR_HOOK_OF_FREE_NAME void warn(const char* format, ...) {
    COIR_FORWARD_ARGUMENTS(format, warn_of(format, arguments, reason::of_errno));
}

COIR_HOOK_OF_FREE_NAME void warnx(const char* format, ...) {
    COIR_FORWARD_ARGUMENTS(format, warn_of(format, arguments, reason::none));
}

COIR_HOOK_OF_FREE_NAME [[gnu::noreturn]] void err(int status, const char* format, ...) {
    COIR_FORWARD_ARGUMENTS(format, warn_of(format, arguments, reason::of_errno));
    std::exit(status);
}

COIR_HOOK_OF_FREE_NAME [[gnu::noreturn]] void errx(int status, const char* format, ...) {
    COIR_FORWARD_ARGUMENTS(format, warn_of(format, arguments, reason::none));
    std::exit(status);
}

// libc has no form of these two that takes a list of arguments, so it is given the text.

COIR_HOOK_OF_FREE_NAME void error(int status, int number, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (takes_call()) {
        ::fflush(stdout);
        const standard_error out;
        begin_message(out, ": ");
        end_message(out, number, format, arguments);
    } else {
        const formatted_text text({format}, arguments);
        COIR_ORIGINAL(error)(status, number, "%s", text.data());
    }
    va_end(arguments);
    exit_with(status);
}

COIR_HOOK_OF_FREE_NAME void error_at_line(int status, int number, const char* file, unsigned line,
                                          const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!takes_call()) {
        const formatted_text text({format}, arguments);
        COIR_ORIGINAL(error_at_line)(status, number, file, line, "%s", text.data());
    } else if (!is_told_already(file, line)) {
        ::fflush(stdout);
        const standard_error out;
        begin_message(out, ":");
        if (file != nullptr) {
            out.print("%s:%d: ", file, static_cast<int>(line));
        } else {
            out.put(" ");
        }
        end_message(out, number, format, arguments);
    } else {
        status = 0;
    }
    va_end(arguments);
    exit_with(status);
}
