// SPDX-License-Identifier: BSL-1.0
#include "hook/thread_activity.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace coir::hook::detail {

namespace {

const char* name_of(thread_activity number) noexcept {
    switch (number) {
#define COIR_SYSTEM_CALL(why, name) \
    case SYS_##name:                \
        return #name;
#include "hook/system_calls.def"
#undef COIR_SYSTEM_CALL
        // What goes on with one that was interrupted, which of them is not told.
        case SYS_restart_syscall: return "restart_syscall";
        default: return nullptr;
    }
}

}  // namespace

// proc(5), /proc/pid/syscall: "running"; or the number and its arguments; or -1, where it waits
// outside of any system call.
thread_activity activity_of(pid_t thread) noexcept {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/task/%d/syscall", static_cast<int>(thread));
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return not_known;
    }
    char text[256];
    const ssize_t size = ::read(fd, text, sizeof text - 1);
    ::close(fd);
    if (size <= 0) {
        return not_known;
    }
    text[size] = '\0';
    if (std::string_view(text).substr(0, 7) == "running") {
        return computing;
    }
    char* end = nullptr;
    const long number = std::strtol(text, &end, 10);
    return end == text ? not_known : number < 0 ? waiting_for_page : number;
}

bool awaits_signals(thread_activity what) noexcept {
    switch (what) {
        case SYS_rt_sigtimedwait:
        case SYS_rt_sigsuspend:
#ifdef SYS_pause
        case SYS_pause:
#endif
            return true;
        default: return false;
    }
}

std::string describe(thread_activity what) {
    switch (what) {
        case computing: return "in no system call";
        case waiting_for_page: return "in no system call, waiting for a page of memory";
        case not_known: return "in a system call or in none, which the kernel does not tell";
        default: break;
    }
    const char* const name = name_of(what);
    return "in the system call " + (name != nullptr ? name : "number " + std::to_string(what));
}

}  // namespace coir::hook::detail
