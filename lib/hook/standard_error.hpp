// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/formatted_text.hpp"
#include "hook/interpose.hpp"
#include "hook/stream_buffer.hpp"

#include <stdio.h>
#include <wchar.h>
#include <cstdarg>

namespace coir::hook::detail {

// The standard error while a message is written, which libc prints inside of libc: nobody else gets
// in between. It may be a stream of bytes or of wide characters, or become one of bytes.
class standard_error {
public:
    standard_error() noexcept { ::flockfile(stderr); }
    standard_error(const standard_error&) = delete;
    standard_error& operator=(const standard_error&) = delete;
    ~standard_error() { ::funlockfile(stderr); }

    void put(const char* text) const noexcept {
        if (is_wide(stderr)) {
            ::fwprintf(stderr, L"%s", text);
        } else {
            ::fputs(text, stderr);
        }
    }

    void print(const char* format, va_list arguments) const noexcept {
        if (!is_wide(stderr)) {
            ::vfprintf(stderr, format, arguments);
            return;
        }
        const formatted_text text({format}, arguments);
        ::fwprintf(stderr, L"%.*s", static_cast<int>(text.size()), text.data());
    }

    [[gnu::format(printf, 2, 3)]] void print(const char* format, ...) const noexcept {
        va_list arguments;
        va_start(arguments, format);
        print(format, arguments);
        va_end(arguments);
    }
};

}  // namespace coir::hook::detail
