// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/inbox.hpp"
#include "core/scheduler.hpp"
#include "core/scope.hpp"

#include <coir/detail/spin_lock.hpp>

#include <mutex>

namespace coir::detail {

// A cancellation on its way to the carrier that a scope belongs to. The owner of the scope has it
// as a member, and guards it by a lock: while that is held, the scope neither ends nor changes its
// carrier.
class posted_cancel : inbox_item {
public:
    posted_cancel(scope& target, spin_lock& lock) noexcept
        : inbox_item(deliver_to_scope), scope_(target), lock_(lock) {}

    // Any thread, with the lock held.
    void post_to(scheduler& home) noexcept {
        if (!on_its_way_) {
            on_its_way_ = true;
            home.post(*this);
        }
    }

    // With the lock held. True: before the scope ends, its carrier has to deliver its inbox.
    bool on_its_way() const noexcept { return on_its_way_; }

private:
    static void deliver_to_scope(inbox_item& item) noexcept {
        posted_cancel& self = static_cast<posted_cancel&>(item);
        {
            const std::lock_guard guard(self.lock_);
            self.on_its_way_ = false;
        }
        self.scope_.cancel(cancel_cause::requested);
    }

    scope& scope_;
    spin_lock& lock_;
    bool on_its_way_ = false;
};

}  // namespace coir::detail
