// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdio.h>
#include <cstdarg>
#include <cstddef>
#include <optional>

namespace coir::hook::detail {

// A format of printf's, and whether libc is to look at it as _FORTIFY_SOURCE wants it.
struct directions {
    const char* format;
    std::optional<int> flag = {};
};

// As vfprintf(), by libc itself.
int print_by_libc(FILE* stream, const directions& how, va_list arguments) noexcept;

// The text that libc makes of a format and its arguments. Where it cannot go on, it is what comes
// before that.
class formatted_text {
public:
    formatted_text(const directions& how, va_list arguments) noexcept;
    formatted_text(const formatted_text&) = delete;
    formatted_text& operator=(const formatted_text&) = delete;
    ~formatted_text();

    const char* data() const noexcept { return long_ != nullptr ? long_ : brief_; }
    std::size_t size() const noexcept { return size_; }

    // What the call gives if the text was taken in full, or was not; and errno, if it is libc that
    // has failed.
    int result(bool complete) const noexcept;

private:
    void print_to_memory(const directions& how, va_list arguments) noexcept;

    char brief_[512];
    char* long_ = nullptr;
    std::size_t size_ = 0;
    int length_;
    int error_ = 0;
};

}  // namespace coir::hook::detail
