// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>
#include <chrono>

namespace load {

// The processor time that a process has used, all its threads together, exact to the nanosecond.
class process_clock {
public:
    // Throws std::system_error where there is no such process.
    explicit process_clock(pid_t process);
    std::chrono::nanoseconds now() const;

private:
    clockid_t clock_{};
};

}  // namespace load
