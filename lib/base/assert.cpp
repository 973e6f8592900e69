// SPDX-License-Identifier: BSL-1.0
#include "base/assert.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/system_calls.hpp"

namespace coir::detail {

void panic(const char* file, int line, const char* what) noexcept {
    char digits[16];
    const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, line);
    const std::string_view pieces[] = {
        file, ":", {digits, static_cast<std::size_t>(end.ptr - digits)}, ": coir: ", what, "\n"};

    iovec parts[std::size(pieces)];
    for (std::size_t i = 0; i != std::size(pieces); ++i) {
        parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
    }
    // One call, so that the line stays whole among those of other threads. There is nothing left to
    // do if it fails.
    static_cast<void>(sys.writev(STDERR_FILENO, parts, static_cast<int>(std::size(parts))));
    std::abort();
}

}  // namespace coir::detail
