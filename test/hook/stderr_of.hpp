// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/temporary.hpp"

#include <unistd.h>
#include <cstddef>
#include <functional>
#include <string>

namespace coir::test {

// What is written to stderr meanwhile.
inline std::string stderr_of(const std::function<void()>& body) {
    const coir::detail::unique_fd file = temporary_file();
    const coir::detail::unique_fd before(::dup(STDERR_FILENO));
    ::dup2(file.get(), STDERR_FILENO);
    body();
    ::dup2(before.get(), STDERR_FILENO);
    std::string text(1 << 16, '\0');
    const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(size > 0 ? size : 0));
    return text;
}

// How often `wanted` stands in `text`.
inline std::size_t count(const std::string& text, const std::string& wanted) {
    std::size_t found = 0;
    for (std::size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1)) {
        ++found;
    }
    return found;
}

}  // namespace coir::test
