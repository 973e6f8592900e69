// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include "context/guard/guard_kind.hpp"
#include "context/guard/madvise_guard.hpp"
#include "context/guard/mprotect_guard.hpp"

namespace coir::detail {

// Installs guards by the kind that was asked for, or by the best one that works. The first guard is
// the probe: what the kernel refuses once is not tried again. Each pool probes for itself, as that
// costs one refused call a thread, and needs no state of the process.
//
// Guards are installed when a stack is first handed out, and then for a row of stacks, not for the
// whole slab. Measured on Linux 6.18, 256 KiB apart: 0.93 us each one by one, 0.76 us in rows of 16
// or more, as most of it is the page table, which the first touch of the stack would otherwise pay
// for. (mprotect: 2.1 us.) A slab of 1024 at once would gain no more, and cost a pause of most of a
// millisecond and page tables for stacks that are never used.
class stack_guard {
public:
    explicit stack_guard(guard_kind kind) noexcept : kind_(kind) {}

    // Makes pages inaccessible: the first one, and as many of the `count - 1` that follow it, each
    // `stride` bytes further on, as come cheaper together. Returns how many; 0 with errno set if
    // the first was refused.
    std::size_t install(char* first, std::size_t stride, std::size_t count) noexcept {
        if (kind_ != guard_kind::mprotect) {
            const std::size_t guarded = madvise_.install(first, stride, count);
            if (guarded > 0 || kind_ == guard_kind::madvise)
                return guarded;
            // An older kernel, a sandbox, or memory locked by mlockall.
            kind_ = guard_kind::mprotect;
        }
        return mprotect_guard::install(first) == 0 ? 1 : 0;
    }

    // `automatic` as long as madvise has not been refused.
    guard_kind kind() const noexcept { return kind_; }

private:
    guard_kind kind_;
    madvise_guard madvise_;
};

}  // namespace coir::detail
