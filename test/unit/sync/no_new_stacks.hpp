// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/system_calls.hpp"

#include <sys/mman.h>
#include <sys/types.h>
#include <cerrno>
#include <cstddef>

namespace coir::test {

// While it lives no more stacks can be mapped: ENOMEM. Those that are there already serve some
// fibers of the default size, and none of large_stack.
class no_new_stacks {
public:
    static constexpr std::size_t large_stack = 1024 * 1024;
    static constexpr int more_tasks_than_stacks = 100;

private:
    using replacement = replace_system_call<&detail::system_calls::mmap>;

    const replacement guard_{
        [](void* hint, std::size_t size, int protection, int flags, int fd, off_t offset) -> void* {
            if (size >= 64 * 1024) {
                errno = ENOMEM;
                return MAP_FAILED;
            }
            return replacement::original(hint, size, protection, flags, fd, offset);
        }};
};

}  // namespace coir::test
