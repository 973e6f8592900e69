// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdio.h>
#include <wchar.h>
#include <cstdarg>
#include <cstddef>
#include <optional>

namespace coir::hook::detail {

// As formatted_text.hpp, for formats of wprintf's.
struct wide_directions {
    const wchar_t* format;
    std::optional<int> flag = {};
};

// As vfwprintf(), by libc itself.
int print_by_libc(FILE* stream, const wide_directions& how, va_list arguments) noexcept;

// The text that libc makes of a format and its arguments. Where it cannot go on, it is what comes
// before that.
class wide_text {
public:
    wide_text(const wide_directions& how, va_list arguments) noexcept;
    wide_text(const wide_text&) = delete;
    wide_text& operator=(const wide_text&) = delete;
    ~wide_text();

    const wchar_t* data() const noexcept { return text_ != nullptr ? text_ : L""; }
    std::size_t size() const noexcept { return size_; }

    // What the call gives if the text was taken in full, or was not; and errno, if it is libc that
    // has failed.
    int result(bool complete) const noexcept;

private:
    wchar_t* text_ = nullptr;
    std::size_t size_ = 0;
    int length_ = -1;
    int error_ = 0;
};

}  // namespace coir::hook::detail
