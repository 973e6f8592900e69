// SPDX-License-Identifier: BSL-1.0
#include "hook/formatted_text.hpp"

#include "hook/interpose.hpp"

#include <stdlib.h>
#include <cerrno>

extern "C" {

int __vfprintf_chk(FILE* stream, int flag, const char* format, va_list arguments);
int __vsnprintf_chk(char* text, std::size_t size, int flag, std::size_t capacity,
                    const char* format, va_list arguments);

}  // extern "C"

namespace coir::hook::detail {

int print_by_libc(FILE* stream, const directions& how, va_list arguments) noexcept {
    return how.flag ? COIR_ORIGINAL(__vfprintf_chk)(stream, *how.flag, how.format, arguments)
                    : COIR_ORIGINAL(vfprintf)(stream, how.format, arguments);
}

formatted_text::formatted_text(const directions& how, va_list arguments) noexcept {
    const int before = errno;  // a format may ask for it
    va_list again;
    va_copy(again, arguments);
    length_ = how.flag ? ::__vsnprintf_chk(brief_, sizeof brief_, *how.flag, sizeof brief_,
                                           how.format, arguments)
                       : std::vsnprintf(brief_, sizeof brief_, how.format, arguments);
    if (length_ >= 0 && static_cast<std::size_t>(length_) < sizeof brief_) {
        size_ = static_cast<std::size_t>(length_);
    } else {
        errno = before;
        print_to_memory(how, again);
    }
    va_end(again);
    errno = before;
}

formatted_text::~formatted_text() {
    const int before = errno;
    std::free(long_);
    errno = before;
}

int formatted_text::result(bool complete) const noexcept {
    if (complete && length_ < 0) {
        errno = error_;
    }
    return complete ? length_ : -1;
}

void formatted_text::print_to_memory(const directions& how, va_list arguments) noexcept {
    const int before = errno;
    FILE* const memory = ::open_memstream(&long_, &size_);
    length_ = -1;
    error_ = errno;
    if (memory != nullptr) {
        errno = before;
        length_ = print_by_libc(memory, how, arguments);
        error_ = errno;
        COIR_ORIGINAL(fclose)(memory);
    }
}

}  // namespace coir::hook::detail
