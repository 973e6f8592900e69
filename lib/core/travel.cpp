// SPDX-License-Identifier: BSL-1.0
#include "core/scheduler.hpp"

#include "base/assert.hpp"

#include <coir/fiber.hpp>

#include <mutex>
#include <stdexcept>
#include <string>

// How a fiber that has not started comes to the carrier that it will run on.
namespace coir::detail {

namespace {

void check_carrier(int carrier, std::size_t count) {
    if (carrier < fiber_options::this_carrier ||
        (carrier >= 0 && static_cast<std::size_t>(carrier) >= count)) {
        throw std::invalid_argument(
            "coir: fiber_options::carrier: there is no carrier " + std::to_string(carrier) +
            "; this run has " + std::to_string(count) + ", counted from 0 (run_options::threads)");
    }
}

}  // namespace

// What `carrier` and `eager` say in terms of this run. True: the fiber has to be able to travel.
bool scheduler::resolve_carrier(fiber_options& options, const scheduler& origin) {
    int& carrier = options.carrier;
    check_carrier(carrier, carriers_.size());
    const int own = static_cast<int>(number_);
    if (carrier == fiber_options::this_carrier) {
        carrier = own;
    }
    // What another thread has posted is spawned between two fibers, where none can make way.
    if (options.eager) {
        options.eager = &origin == this && running().place == fiber_place::running &&
                        (carrier == own || carrier == fiber_options::any_carrier);
        carrier = options.eager ? own : carrier;
    }
    return carriers_.size() > 1 && (carrier != own || &origin != this);
}

// The fiber is in the books here. Where does it go?
void scheduler::dispatch(fiber_control& fiber) noexcept {
    const int carrier = fiber.options.carrier;
    if (carrier == fiber_options::any_carrier) {
        offer(fiber);
        carriers_.call_idle(*this);
    } else if (static_cast<std::size_t>(carrier) == number_) {
        settle(fiber);
        ready_.push(fiber);
    } else {
        fiber.travel_to(carriers_[static_cast<std::size_t>(carrier)]);
    }
}

void scheduler::receive(fiber_control& traveller) noexcept {
    if (traveller.place == fiber_place::ended) {
        traveller.strike_off();
        traveller.release();
        count_out();
    } else if (!traveller.in_books) {
        count_in();
        traveller.enter_books();
        carriers_.let_go();  // who sent it holds the group
        dispatch(traveller);
    } else {
        settle(traveller);
        ready_.push(traveller);
    }
}

// From here on the fiber is this carrier's, for all its life.
void scheduler::settle(fiber_control& fiber) noexcept {
    COIR_ASSERT(fiber.place == fiber_place::unstarted, "a fiber that has started settles");
    const cancel_cause cause = fiber.settle_on(*this);
    all_.push_back(fiber);
    fiber.parked_since = loop_time_;
    fiber.place = fiber_place::ready;
    if (cause != cancel_cause::none) {
        fiber.own_scope.cancel(cause);
    }
}

// To whichever carrier comes first.
void scheduler::offer(fiber_control& fiber) noexcept {
    const std::lock_guard guard(unstarted_lock_);
    unstarted_.push(fiber);
    unstarted_count_.fetch_add(1, std::memory_order_seq_cst);
}

fiber_control* scheduler::take_unstarted() noexcept {
    fiber_control* taken = nullptr;
    {
        const std::lock_guard guard(unstarted_lock_);
        taken = unstarted_.pop();
        if (taken != nullptr) {
            unstarted_count_.fetch_sub(1, std::memory_order_seq_cst);
        }
    }
    if (taken != nullptr) {
        settle(*taken);
    }
    return taken;
}

// Half of them, the ones that have waited longest. The first is the thief's at once: did they all
// stand in its queue, others might steal them before it comes to them, and others again. The rest
// does.
bool scheduler::give_unstarted_to(scheduler& thief) noexcept {
    ready_queue stolen;
    std::size_t count = 0;
    {
        const std::lock_guard guard(unstarted_lock_);
        const std::size_t half = (unstarted_count_.load(std::memory_order_relaxed) + 1) / 2;
        for (; count < half && count < most_stolen; ++count) {
            stolen.push(*unstarted_.pop());
        }
        unstarted_count_.fetch_sub(count, std::memory_order_seq_cst);
    }
    if (count == 0) {
        return false;
    }
    fiber_control& first = *stolen.pop();
    thief.settle(first);
    thief.ready_.push(first);
    if (count > 1) {
        const std::lock_guard guard(thief.unstarted_lock_);
        while (fiber_control* const fiber = stolen.pop()) {
            thief.unstarted_.push(*fiber);
        }
        thief.unstarted_count_.fetch_add(count - 1, std::memory_order_seq_cst);
    }
    if (count > 1 || has_unstarted()) {
        carriers_.call_idle(thief);
    }
    return true;
}

}  // namespace coir::detail
