// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/libc_mutex.hpp"
#include "hook/order.hpp"
#include "hook/thread_id.hpp"

#include <coir/wait_queue.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace coir::hook::detail {

// One wait of one fiber for an object of libc's. It lives on the fiber's stack. While it stands in
// a parking_lot it is guarded by the lock of its spot.
struct waiting_fiber {
    explicit waiting_fiber(const void* for_what) noexcept : object(for_what) {}
    waiting_fiber(const waiting_fiber&) = delete;
    waiting_fiber& operator=(const waiting_fiber&) = delete;

    const void* const object;
    const pid_t carrier = thread_id();
    bool called = false;     // it is to look again, and is on its way, or will be
    bool overtaken = false;  // it was called, and came too late
    bool alone = true;       // it does not share what it wants with others
    bool shareable = false;  // others could
    waiting_fiber* previous = nullptr;
    waiting_fiber* next = nullptr;
    wait_queue parked;  // it, and nobody else, while it is parked
};

// Where fibers wait for objects of libc's, which have room for threads only: a table from an
// object's address to those who wait for it, in the order in which they came, as the kernel has it
// for futexes and WebKit's ParkingLot for locks.
//
// So whoever releases an object tells both: libc's own release wakes threads, and then there is a
// glance whether fibers wait. None is missed, for the two sides do in opposite order
//
//     fiber       enters; then tries once more, with the spot's lock held; then parks
//     releaser    releases; then glances; then calls, with the spot's lock held
//
// so that either the releaser sees that somebody has entered, or that one's try comes after the
// release. What orders the two steps on either side is that the first is an atomic exchange, libc's
// release as well; where the processor does not take that for a barrier, order_before_next_step()
// sees to it. From the entering to the leaving a fiber counts as there, parked or not.
//
// The objects are never touched here, only compared by address: one that has been released may be
// gone. A call meant for another object that had the address before does no harm, since whoever is
// called looks for himself.
class parking_lot {
public:
    // Those who wait for the objects of one hash. Lockable.
    class alignas(64) spot {
    public:
        void lock() noexcept { mutex_.lock(); }
        void unlock() noexcept { mutex_.unlock(); }

        // What follows is called with the lock held.

        // Who came first, and who came next; null: nobody.
        waiting_fiber* first(const void* object) const noexcept { return find(first_, object); }
        static waiting_fiber* after(const waiting_fiber& one) noexcept {
            return find(one.next, one.object);
        }

        // Has it look again. If it is not parked just now, it is about to look.
        static void call(waiting_fiber& one) noexcept {
            one.called = true;
            one.parked.unpark_one();
        }

        // Parks the calling fiber, whose wait it is, until it is called. Meanwhile the lock is not
        // held.
        wait_status park(waiting_fiber& one, deadline until, wait_label label,
                         cancellable cancel) noexcept {
            return one.parked.park(*this, until, label, cancel);
        }

    private:
        friend class parking_lot;  // whose parts they are

        static waiting_fiber* find(waiting_fiber* from, const void* object) noexcept {
            while (from != nullptr && from->object != object) {
                from = from->next;
            }
            return from;
        }

        std::atomic<std::size_t> count_{0};
        libc_mutex mutex_;
        waiting_fiber* first_ = nullptr;
        waiting_fiber* last_ = nullptr;
    };

    constexpr parking_lot() noexcept = default;

    spot& spot_of(const void* object) noexcept { return spots_[hash(object)]; }

    // With the lock of the object's spot held.
    void enter(spot& where, waiting_fiber& one) noexcept;
    void leave(spot& where, waiting_fiber& one) noexcept;

    // Whether nobody waits for the object, nor for another one of the same hash.
    bool seems_empty(const void* object) const noexcept {
        return count_.load(std::memory_order_relaxed) == 0 ||
               spots_[hash(object)].count_.load(std::memory_order_relaxed) == 0;
    }

    // By who has just released an object, be it a thread or a fiber: whether a fiber may wait for
    // it. On x86-64 that is a load and a branch.
    bool somebody_waits_for(const void* object) const noexcept {
        order_before_next_step();
        return !seems_empty(object);
    }

    // In the child of a fork(2), where the fibers, and who held the locks, are not.
    void forget_in_child() noexcept;

private:
    static constexpr unsigned hash_bits = 8;

    static std::size_t hash(const void* object) noexcept {
        constexpr std::uint64_t golden_ratio = 0x9e37'79b9'7f4a'7c15;
        const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(object));
        return static_cast<std::size_t>((address * golden_ratio) >> (64 - hash_bits));
    }

    std::atomic<std::size_t> count_{0};
    spot spots_[std::size_t{1} << hash_bits];
};

// A lot for each family, so that the glances of one do not meet the waits of another.
extern parking_lot lock_lot;       // mutexes and rwlocks
extern parking_lot condition_lot;  // condition variables
extern parking_lot beginning_lot;  // what is done once: pthread_once, static locals

}  // namespace coir::hook::detail
