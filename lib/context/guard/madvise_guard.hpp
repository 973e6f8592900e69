// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "base/system_calls.hpp"
#include "context/page_size.hpp"

namespace coir::detail {

// Guards by MADV_GUARD_INSTALL (Linux 6.13): a mark in the page table, so that a slab of any number
// of guarded stacks stays one mapping. It survives MADV_DONTNEED and fork.
class madvise_guard {
public:
    // Guards `count` pages, `stride` bytes apart. Returns how many, at least one, or 0 with errno
    // set; EINVAL means that the kernel does not have it, or that the memory is locked.
    //
    // Several go in one process_madvise(2). It names this process by PIDFD_SELF (Linux 6.15), not
    // by a descriptor: that would still mean the parent after a fork. Refused, they go one by one.
    std::size_t install(char* first, std::size_t stride, std::size_t count) noexcept {
#ifdef __linux__
        if (count > 1 && batches_) {
            if (const std::size_t guarded = install_batch(first, stride, count); guarded > 0)
                return guarded;
            batches_ = false;
        }
#endif
        return sys.madvise(first, page_size(), guard_install) == 0 ? 1 : 0;
    }

    static constexpr std::size_t largest_batch = 32;

private:
    static constexpr int guard_install = 102;     // MADV_GUARD_INSTALL; older headers lack the name
    static constexpr int this_process = -10'001;  // PIDFD_SELF_THREAD_GROUP; likewise

#ifdef __linux__
    static std::size_t install_batch(char* first, std::size_t stride, std::size_t count) noexcept {
        std::array<iovec, largest_batch> pages;
        count = std::min(count, pages.size());
        for (std::size_t i = 0; i < count; ++i)
            pages[i] = {first + i * stride, page_size()};
        const ssize_t done =
            sys.process_madvise(this_process, pages.data(), count, guard_install, 0);
        return done > 0 ? static_cast<std::size_t>(done) / page_size() : 0;
    }
#endif

    bool batches_ = true;
};

}  // namespace coir::detail
