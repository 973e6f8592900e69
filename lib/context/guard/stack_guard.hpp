// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context/guard/guard_kind.hpp"
#include "context/guard/madvise_guard.hpp"
#include "context/guard/mprotect_guard.hpp"

namespace coir::detail {

// Installs guards by the kind that was asked for, or by the best one that works. The first guard is
// the probe: what the kernel refuses once is not tried again. Each pool probes for itself, as that
// costs one refused call a thread, and needs no state of the process.
//
// A guard is installed when its stack is first handed out, one call for each, and not for a whole
// slab in one process_madvise. Measured on Linux 6.18 for slabs of 1024: 0.69 us a guard one by
// one, 0.56 us batched, as most of it is the page table, which the first touch of the stack would
// otherwise pay for. (mprotect: 2.1 us.) So a batch would save a fifth, and cost a pause of half a
// millisecond in the middle of the event loop, and page tables for stacks that are never used.
// Below 64 stacks it is even slower, for the pidfd that it needs.
class stack_guard {
public:
    explicit stack_guard(guard_kind kind) noexcept : kind_(kind) {}

    // Makes a page inaccessible. Returns 0 or an errno.
    int install(void* page) noexcept {
        if (kind_ != guard_kind::mprotect) {
            const int error = madvise_guard::install(page);
            if (error == 0 || kind_ == guard_kind::madvise)
                return error;
            // An older kernel, a sandbox, or memory locked by mlockall.
            kind_ = guard_kind::mprotect;
        }
        return mprotect_guard::install(page);
    }

    // `automatic` as long as madvise has not been refused.
    guard_kind kind() const noexcept { return kind_; }

private:
    guard_kind kind_;
};

}  // namespace coir::detail
