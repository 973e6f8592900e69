// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "reactor/interest_table.hpp"
#include "reactor/io_interest.hpp"
#include "reactor/reactor.hpp"

namespace coir::detail {

// Whether the next call on a descriptor of ours may do something, by one direction. Where it is
// clear, only a wait can tell. Always set on a plain thread. For the time of one call: by the
// carrier that made it.
class readiness_bit {
public:
    readiness_bit(int descriptor, direction d) noexcept
        : here_(reactor::current()), descriptor_(descriptor), direction_(d) {}

    bool is_set() noexcept { return entry() == nullptr || entry_->ready_for(direction_); }

    // A call did less than it was asked to, or said EAGAIN.
    void clear() noexcept {
        if (entry() != nullptr) {
            entry_->drained(direction_);
        }
    }

    // A call did all that it was asked to, so the next one may do something.
    void set() noexcept {
        if (entry() != nullptr) {
            entry_->ready_for(direction_) = true;
        }
    }

    // As io_completes().
    bool backend_makes_calls() const noexcept { return here_ != nullptr && here_->completes(); }

private:
    // The first wait makes it.
    interest_entry* entry() noexcept {
        if (entry_ == nullptr && here_ != nullptr) {
            entry_ = here_->entry_of(descriptor_);
        }
        return entry_;
    }

    reactor* const here_;
    interest_entry* entry_ = nullptr;
    const int descriptor_;
    const direction direction_;
};

}  // namespace coir::detail
