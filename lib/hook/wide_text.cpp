// SPDX-License-Identifier: BSL-1.0
#include "hook/wide_text.hpp"

#include "hook/interpose.hpp"

#include <stdlib.h>
#include <cerrno>

extern "C" int __vfwprintf_chk(FILE* stream, int flag, const wchar_t* format, va_list arguments);

namespace coir::hook::detail {

int print_by_libc(FILE* stream, const wide_directions& how, va_list arguments) noexcept {
    return how.flag ? COIR_ORIGINAL(__vfwprintf_chk)(stream, *how.flag, how.format, arguments)
                    : COIR_ORIGINAL(vfwprintf)(stream, how.format, arguments);
}

wide_text::wide_text(const wide_directions& how, va_list arguments) noexcept {
    const int before = errno;  // a format may ask for it
    FILE* const memory = ::open_wmemstream(&text_, &size_);
    error_ = errno;
    if (memory != nullptr) {
        errno = before;
        length_ = print_by_libc(memory, how, arguments);
        error_ = errno;
        COIR_ORIGINAL(fclose)(memory);
    }
    errno = before;
}

wide_text::~wide_text() {
    const int before = errno;
    std::free(text_);
    errno = before;
}

int wide_text::result(bool complete) const noexcept {
    if (complete && length_ < 0) {
        errno = error_;
    }
    return complete ? length_ : -1;
}

}  // namespace coir::hook::detail
