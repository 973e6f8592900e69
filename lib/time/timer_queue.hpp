// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/assert.hpp"
#include "time/clock.hpp"

#include <coir/deadline.hpp>

#include <array>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace coir::detail {

// One thing that is due at one time. It is a node of the queue itself, so it lives where the waiter
// lives (on its stack, in an object) and arming allocates nothing. It must stay where it is while
// armed, and be disarmed before it dies.
struct timer
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    using callback = void (*)(timer&) noexcept;

    explicit timer(callback on_due) noexcept : fire(on_due) {}
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { COIR_ASSERT(!is_armed(), "a timer dies while armed"); }

    bool is_armed() const noexcept { return is_linked(); }

    deadline due;   // set by timer_queue::arm
    callback fire;  // called with the timer disarmed; it may destroy the timer
};

static_assert(sizeof(timer) <= 32, "a timer takes half a cache line at most: there are many");

// Timers ordered by deadline: a hierarchical timing wheel (Varghese and Lauck, 1987), 8 levels of
// 64 slots.
//
//     deadline in ns   | level 7 | ... | level 2 | level 1 | level 0 | within the tick |
//                        6 bits          6 bits    6 bits    6 bits    16 bits: 65.5 us
//     cursor (a tick)  |    0    | ... |    3    |   61    |   17    |
//
//     level 2, a slot is 268 ms    .  .  5  .  .  8  .  ...    digit 2 is 5 or 8
//     level 1, a slot is 4.2 ms    .  63                       digit 2 is 3, digit 1 is 63
//     level 0, a slot is a tick    17 .  .  20 .  .  .  ...    digits 3, 61, and 17 (now) or 20
//                                           |
//                     slot { earliest, <-> timer <-> timer <-> timer <-> (circular) }
//
// A timer goes to the level of the highest digit in which its tick differs from the cursor's, into
// the slot of its own digit there. So everything on a level comes before everything on the level
// above, a level's slots are in order, and the earliest slot of all is the lowest bit of the lowest
// level that has one: no search, no turning wheel, no rounding. When the cursor enters a slot above
// level 0, the slot's timers move to lower levels ("cascade"); each can do so at most seven times.
// The cursor jumps from occupied slot to occupied slot, so a long idle time costs nothing.
//
// Why not a heap: nearly every timer of a server is a timeout that is cancelled, soon after it was
// armed. Here arming is a shift, an append and two stores, and cancelling an unlink that doesn't
// know its slot, whatever the number of timers; in a heap both are a path of cache misses. The
// price is that a slot's bit and bound go stale when timers are cancelled (they are mended when the
// slot is next looked at), and that a cascade comes in a burst.
//
// Exact in spite of the ticks: a slot of level 0 is a batch, sorted when it is due (equal deadlines
// by insertion: timers of one deadline are always in the same slot, in order, so a stable sort will
// do), and timers of the current tick whose deadline is still ahead stay.
//
// One thread uses a queue. No member function allocates, and only fire_due() runs foreign code.
class timer_queue {
public:
    // Deadlines before `now` may be armed all the same; a good guess saves the first timers a few
    // cascades and is good for nothing else.
    explicit timer_queue(time_point now = time_point{}) noexcept;
    timer_queue(const timer_queue&) = delete;
    timer_queue& operator=(const timer_queue&) = delete;
    ~timer_queue() { COIR_ASSERT(empty(), "a timer queue dies with timers armed"); }

    // Arms the timer, anew if it is armed in this queue already. One that is never due is left
    // disarmed.
    void arm(timer& t, deadline due) noexcept;

    // Disarms the timer: it won't fire, not even if fire_due() is running and it is due. Nothing if
    // it isn't armed.
    void cancel(timer& t) noexcept;

    // An instant not later than the earliest deadline; never, if there is none. It is exact unless
    // timers that were cancelled left a bound behind; then fire_due() at that time may fire
    // nothing, and next() will be later.
    deadline next() noexcept;

    // The last deadline, or nearly, that is at most `slack` after next(): who sleeps until then may
    // fire many timers for one wake-up, and a lone one as soon as ever. next() itself if there is
    // none.
    deadline last_within(std::chrono::nanoseconds slack) noexcept;

    // Fires all timers with a deadline at or before now, by deadline and then by insertion, and
    // returns how many. A callback may arm and cancel any timers. What it arms waits for the next
    // call even if it is due, so that this call ends. A callback must not call fire_due() itself.
    std::size_t fire_due(time_point now) noexcept;

    // The same in pieces: first what is due is collected, then it is fired, in one call or more.
    // What is collected meanwhile comes behind.
    void collect_due(time_point now) noexcept;
    bool has_collected() const noexcept { return !due_.empty(); }

    // Fires the first `most` of what was collected. Before the first callback, `soon` is told of
    // each timer that this call is about to fire, and then `next` of each. They may start loading
    // what the callbacks will touch, and do nothing else.
    struct forecast {
        void (*soon)(const timer&) noexcept;
        void (*next)(const timer&) noexcept;
    };
    void fire_collected(std::size_t most, const forecast& told) noexcept;

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

private:
    using tick = std::int64_t;
    using timer_list = boost::intrusive::list<timer, boost::intrusive::constant_time_size<false>>;

    static constexpr int levels = 8;
    static constexpr int digit_bits = 6;
    static constexpr int slots_per_level = 1 << digit_bits;
    static constexpr int tick_bits = 16;
    static constexpr int most_looked_at = 64;  // by last_within()

    // Aligned so that the list's head and the bound share a cache line.
    struct alignas(32) slot {
        timer_list timers;  // in order of insertion
        deadline earliest;  // not after any deadline in timers; of no meaning if there are none
    };
    struct position {
        int level;  // `levels` if there is no slot
        int index;
    };

    static tick tick_of(time_point t) noexcept { return t.time_since_epoch().count() >> tick_bits; }
    slot& slot_at(position p) noexcept;
    position first_occupied() const noexcept;
    tick start_of(position p) const noexcept;
    void vacate(position p) noexcept;
    void place(timer& t) noexcept;
    void cascade(position p) noexcept;
    void take_whole_slot(position p) noexcept;
    void take_due_of_current_tick(position p, time_point now) noexcept;
    void append_in_order(timer_list& batch) noexcept;
    std::size_t fire_collected(std::size_t most) noexcept;

    // One word a level. A slot that has timers has its bit set; one that has none may.
    std::array<std::uint64_t, levels> occupied_{};
    tick cursor_;           // every slot that starts before it is empty
    std::size_t size_ = 0;  // timers in all slots and in due_
    timer_list due_;        // collected and not yet fired, in order
    bool firing_ = false;   // fire_due runs
    std::array<std::array<slot, slots_per_level>, levels> slots_;
};

}  // namespace coir::detail
