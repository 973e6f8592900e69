// SPDX-License-Identifier: BSL-1.0
#include <coir/wait_queue.hpp>

#include "base/assert.hpp"
#include "core/fiber_control.hpp"
#include "core/waiter.hpp"

#include <string>

namespace coir {

using detail::wait_node;
using detail::waiter;

namespace {

// A queue does not know what it is part of, but the wait of a fiber has a label that does.
[[maybe_unused]] std::string complaint_of(const detail::wait_link& first) {
    std::string text = "a wait queue is destroyed while somebody waits in it: ";
    const detail::fiber_control* const fiber = static_cast<const wait_node&>(first).owner->fiber();
    if (fiber == nullptr) {
        return text + "a plain thread";
    }
    text += '\'' + fiber->display_name() + '\'';
    if (fiber->place == detail::fiber_place::parked) {
        text += std::string(", for ") + fiber->label.text;
        if (fiber->label.number >= 0) {
            text += ' ' + std::to_string(fiber->label.number);
        }
    }
    return text;
}

}  // namespace

wait_queue::~wait_queue() { COIR_ASSERT(empty(), complaint_of(*head_.next).c_str()); }

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

wait_status wait_queue::park_locked(detail::wait_link& next_in_line,
                                    const detail::lock_functions& lock, deadline until,
                                    wait_label label, cancellable cancel) {
    waiter w(true);
    wait_node node(w);
    node.link_before(next_in_line);
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

// A notifier that wins the claim has taken its place out before, with the lock held. So a waiter
// that was notified in a place has nothing more to do there, and must not: the lock may be gone. In
// every other place, and if the wait ended otherwise, the place may still be linked, or a notifier
// may just be finding out that it comes too late; for both the lock is needed.
wait_status wait_queue::park_in(wait_place& place, deadline until, wait_label label,
                                cancellable cancel) noexcept {
    waiter w(true);
    place.owner = &w;
    place.notified = false;
    place.link_before(place.queue().head_);
    place.unlock();
    const wait_status status = detail::park(w, until, label, cancel);
    if (!place.notified) {
        place.lock();
        if (place.linked()) {
            place.unlink();
        }
        place.unlock();
    }
    return status;
}

wait_status wait_queue::park_in_places(wait_place* const* places, std::size_t count,
                                       const unlock_function& held, deadline until,
                                       wait_label label, cancellable cancel) noexcept {
    waiter w(true);
    for (std::size_t i = 0; i < count; ++i) {
        places[i]->owner = &w;
        places[i]->notified = false;
        places[i]->link_before(places[i]->queue().head_);
    }
    // No notifier has seen any of the places before all of them are linked. From here on any of
    // them may be the one; what is claimed is delivered once we are parked.
    held.unlock(held.object);
    const wait_status status = detail::park(w, until, label, cancel);
    for (std::size_t i = 0; i < count; ++i) {
        if (!places[i]->notified) {
            places[i]->lock();
            if (places[i]->linked()) {
                places[i]->unlink();
            }
            places[i]->unlock();
        }
    }
    return status;
}

claimed_waiter wait_queue::claim_one() noexcept { return claimed_waiter(detail::claim_one(head_)); }

void claimed_waiter::deliver_to(detail::wait_node& node) noexcept { node.owner->deliver(); }

void claimed_waiter::post_to(detail::wait_node& node) noexcept {
    node.owner->deliver_through_inbox();
}

bool claimed_waiter::is_local(const detail::wait_node& node) noexcept {
    return node.owner->is_local();
}

bool wait_queue::unpark_one() noexcept { return detail::unpark_one(head_); }

std::size_t wait_queue::unpark_all() noexcept { return detail::unpark_all(head_); }

}  // namespace coir
