// SPDX-License-Identifier: BSL-1.0
#include "process_clock.hpp"

#include <cerrno>
#include <ctime>
#include <string>
#include <system_error>

namespace load {

process_clock::process_clock(pid_t process) {
    // It returns its error; it sets no errno.
    if (const int error = ::clock_getcpuclockid(process, &clock_); error != 0) {
        throw std::system_error(error, std::system_category(),
                                "the CPU clock of process " + std::to_string(process));
    }
}

std::chrono::nanoseconds process_clock::now() const {
    timespec spent{};
    if (::clock_gettime(clock_, &spent) != 0) {
        throw std::system_error(errno, std::system_category(), "the server's CPU clock");
    }
    return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

}  // namespace load
