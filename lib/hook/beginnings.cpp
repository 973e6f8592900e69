// SPDX-License-Identifier: BSL-1.0
#include "hook/beginnings.hpp"

#include "hook/libc_mutex.hpp"

#include <array>
#include <mutex>
#include <new>
#include <optional>

namespace coir::hook::detail {

namespace {

using coir::detail::calling_fiber;

struct list {
    libc_mutex mutex;  // guards what follows
    beginning* first = nullptr;
    // For static locals, whose initialisation ends in another call than it began in. No memory is
    // asked for: an allocator may have static locals. If the store is empty, what begins is not
    // listed.
    std::array<std::optional<beginning>, 128> store;
};

constinit list under_way;

// With the mutex held.
beginning* find(const void* object) noexcept {
    beginning* one = under_way.first;
    while (one != nullptr && one->object != object) {
        one = one->next;
    }
    return one;
}

void enlist(beginning& mine) noexcept {
    mine.next = under_way.first;
    under_way.first = &mine;
}

void strike(const beginning& mine) noexcept {
    beginning** link = &under_way.first;
    while (*link != &mine) {
        link = &(*link)->next;
    }
    *link = mine.next;
}

turn try_to_begin(beginning& mine) noexcept {
    const std::lock_guard guard(under_way.mutex);
    if (const beginning* const other = find(mine.object)) {
        return other->who == mine.who ? turn::recursive : turn::elsewhere;
    }
    enlist(mine);
    return turn::ours;
}

turn try_to_begin(const void* object, doer who) noexcept {
    const std::lock_guard guard(under_way.mutex);
    if (const beginning* const other = find(object)) {
        return other->who == who ? turn::recursive : turn::elsewhere;
    }
    for (auto& place : under_way.store) {
        if (!place) {
            enlist(place.emplace(beginning{object, who}));
            break;
        }
    }
    return turn::ours;
}

template <class Try>
turn wait_for_turn(const void* object, const calling_fiber& caller, Try try_once) noexcept {
    turn found = try_once();
    if (found != turn::elsewhere || !caller.may_park) {
        return found;
    }
    parking_lot::spot& spot = beginning_lot.spot_of(object);
    waiting_fiber self(object);
    const std::lock_guard guard(spot);
    beginning_lot.enter(spot, self);
    while ((found = try_once()) == turn::elsewhere) {
        self.called = false;
        spot.park(self, deadline::never(), {"what another one does once", -1, true},
                  cancellable::no);
    }
    beginning_lot.leave(spot, self);
    return found;
}

void call_waiting(const void* object) noexcept {
    if (!beginning_lot.somebody_waits_for(object)) {
        return;
    }
    parking_lot::spot& spot = beginning_lot.spot_of(object);
    const std::lock_guard guard(spot);
    for (waiting_fiber* one = spot.first(object); one != nullptr; one = spot.after(*one)) {
        spot.call(*one);
    }
}

}  // namespace

turn begin(beginning& mine, const calling_fiber& caller) noexcept {
    return wait_for_turn(mine.object, caller, [&] { return try_to_begin(mine); });
}

void end(beginning& mine) noexcept {
    {
        const std::lock_guard guard(under_way.mutex);
        strike(mine);
    }
    call_waiting(mine.object);
}

turn begin(const void* object, const calling_fiber& caller) noexcept {
    return wait_for_turn(object, caller, [&] { return try_to_begin(object, doer(caller)); });
}

void end(const void* object, const calling_fiber& caller) noexcept {
    {
        const std::lock_guard guard(under_way.mutex);
        const beginning* const mine = find(object);
        if (mine == nullptr || mine->who != doer(caller)) {
            return;
        }
        strike(*mine);
        for (auto& place : under_way.store) {
            if (place && &*place == mine) {
                place.reset();
            }
        }
    }
    call_waiting(object);
}

void forget_beginnings_in_child() noexcept { ::new (&under_way) list; }

}  // namespace coir::hook::detail
