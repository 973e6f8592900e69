// SPDX-License-Identifier: BSL-1.0
#include "support/watched_thread.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cstdio>
#include <string_view>

#ifdef __linux__
#include <sys/syscall.h>
#endif

namespace coir::test {

namespace {

pid_t id_of_this_thread() noexcept {
#ifdef __linux__
    return static_cast<pid_t>(::syscall(SYS_gettid));
#else
    return 0;
#endif
}

}  // namespace

watched_thread::watched_thread() noexcept : id_(id_of_this_thread()) {}

// proc(5): the state follows the program's name, which stands in parentheses and may hold some.
bool watched_thread::asleep_or_unknown() const noexcept {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/task/%ld/stat", static_cast<long>(id_));
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return true;
    }
    char text[256];
    const ssize_t size = ::read(file, text, sizeof text);
    ::close(file);
    const std::string_view stat(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    const std::size_t name_end = stat.rfind(')');
    return name_end + 2 >= stat.size() || stat[name_end + 2] == 'S';
}

}  // namespace coir::test
