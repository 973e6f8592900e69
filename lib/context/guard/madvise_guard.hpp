// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>

#include "base/system_calls.hpp"
#include "context/page_size.hpp"

namespace coir::detail {

// Guards by MADV_GUARD_INSTALL (Linux 6.13): a mark in the page table, so that a slab of any number
// of guarded stacks stays one mapping. It survives MADV_DONTNEED and fork.
struct madvise_guard {
    // Returns 0 or an errno; EINVAL means that the kernel does not have it, or that the memory is
    // locked.
    static int install(void* page) noexcept {
        constexpr int guard_install = 102;  // MADV_GUARD_INSTALL; older libc headers lack the name
        return sys.madvise(page, page_size(), guard_install) == 0 ? 0 : errno;
    }
};

}  // namespace coir::detail
