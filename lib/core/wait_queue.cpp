// SPDX-License-Identifier: BSL-1.0
#include <coir/wait_queue.hpp>

#include "base/assert.hpp"
#include "core/waiter.hpp"

namespace coir {

using detail::wait_node;
using detail::waiter;

wait_queue::~wait_queue() {
    COIR_ASSERT(empty(), "a wait queue is destroyed while somebody waits in it");
}

wait_status wait_queue::park_unlocked(deadline until, wait_label label,
                                      cancellable cancel) noexcept {
    waiter w(false);
    if (w.fiber() == nullptr && until.is_never()) {
        COIR_PANIC(
            "a plain thread waits in a wait_queue without a lock, where nobody can notify it");
    }
    wait_node node(w);
    node.link_before(head_);
    const wait_status status = detail::park(w, until, label, cancel);
    if (node.linked()) {
        node.unlink();
    }
    return status;
}

wait_status wait_queue::park_locked(const lock_functions& lock, deadline until, wait_label label,
                                    cancellable cancel) {
    waiter w(true);
    wait_node node(w);
    node.link_before(head_);
    // From here on another thread may claim and post this waiter. That is delivered once we are
    // parked: the carrier looks into its inbox only when a fiber stops running.
    lock.unlock(lock.object);
    const wait_status status = detail::park(w, until, label, cancel);
    lock.lock(lock.object);
    if (node.linked()) {
        node.unlink();
    }
    return status;
}

bool wait_queue::unpark_one() noexcept { return detail::unpark_one(head_); }

std::size_t wait_queue::unpark_all() noexcept { return detail::unpark_all(head_); }

}  // namespace coir
