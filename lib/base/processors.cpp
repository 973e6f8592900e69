// SPDX-License-Identifier: BSL-1.0
#include "base/processors.hpp"

#include "base/system_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>
#ifdef __linux__
#include <sched.h>
#endif

namespace coir::detail {

std::size_t available_processors() noexcept {
#ifdef __linux__
    const int saved = errno;
    cpu_set_t mask;
    const int result = sys.sched_getaffinity(0, sizeof mask, &mask);
    errno = saved;
    if (result == 0) {
        return static_cast<std::size_t>(std::max(CPU_COUNT(&mask), 1));
    }  // else the machine has more than the mask has room for
#endif
    return std::max(std::thread::hardware_concurrency(), 1U);
}

}  // namespace coir::detail
