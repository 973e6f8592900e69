// SPDX-License-Identifier: BSL-1.0
#include "time/timer_queue.hpp"

#include <algorithm>
#include <bit>

namespace coir::detail {

namespace {

constexpr bool is_due_before(const timer& a, const timer& b) noexcept { return a.due < b.due; }

}  // namespace

timer_queue::timer_queue(time_point now) noexcept : cursor_(std::max<tick>(tick_of(now), 0)) {}

void timer_queue::arm(timer& t, deadline due) noexcept {
    cancel(t);
    t.due = due;
    if (!due.is_never()) {
        place(t);
        ++size_;
    }
}

void timer_queue::cancel(timer& t) noexcept {
    if (t.is_linked()) {
        t.unlink();
        --size_;
    }
}

deadline timer_queue::next() noexcept {
    if (!due_.empty()) {
        return due_.front().due;
    }
    for (position p = first_occupied(); p.level != levels; p = first_occupied()) {
        const slot& s = slot_at(p);
        if (!s.timers.empty()) {
            return s.earliest;
        }
        vacate(p);
    }
    return deadline::never();
}

// Only what is close at hand is looked at: level 0, and not all of it if there is much.
deadline timer_queue::last_within(std::chrono::nanoseconds slack) noexcept {
    const deadline first = next();
    position p = first_occupied();  // that of `first`
    if (slack <= slack.zero() || !due_.empty() || p.level != 0 ||
        first.time() > time_point::max() - slack) {
        return first;
    }
    const time_point bound = first.time() + slack;
    deadline last = first;
    int left = most_looked_at;
    for (std::uint64_t bits = occupied_[0]; bits != 0; bits &= bits - 1) {
        p.index = std::countr_zero(bits);
        if (start_of(p) > tick_of(bound)) {
            break;
        }
        for (const timer& t : slot_at(p).timers) {
            if (left-- == 0) {
                return last;
            }
            if (t.due <= bound) {
                last = std::max(last, t.due);
            }
        }
    }
    return last;
}

// All that is due leaves the wheel before the first callback runs. So what a callback arms is not
// fired by this call, and what it cancels is unlinked from due_ as from any slot.
std::size_t timer_queue::fire_due(time_point now) noexcept {
    collect_due(now);
    return fire_collected(size_);
}

void timer_queue::fire_collected(std::size_t most, const forecast& told) noexcept {
    for (void (*const tell)(const timer&) noexcept : {told.soon, told.next}) {
        std::size_t left = most;
        for (auto it = due_.begin(); it != due_.end() && left != 0; ++it, --left) {
            tell(*it);
        }
    }
    fire_collected(most);
}

std::size_t timer_queue::fire_collected(std::size_t most) noexcept {
    COIR_ASSERT(!firing_, "a timer's callback must not fire timers");
    firing_ = true;
    std::size_t fired = 0;
    for (; !due_.empty() && fired != most; ++fired) {
        timer& t = due_.front();
        due_.pop_front();
        --size_;
        t.fire(t);  // t may be gone now
    }
    firing_ = false;
    return fired;
}

timer_queue::slot& timer_queue::slot_at(position p) noexcept {
    return slots_[static_cast<std::size_t>(p.level)][static_cast<std::size_t>(p.index)];
}

timer_queue::position timer_queue::first_occupied() const noexcept {
    int level = 0;
    for (const std::uint64_t bits : occupied_) {
        if (bits != 0) {
            return {level, std::countr_zero(bits)};
        }
        ++level;
    }
    return {levels, 0};
}

// The cursor's digits above the level, the slot's on it, and zeros below.
timer_queue::tick timer_queue::start_of(position p) const noexcept {
    const int shift = p.level * digit_bits;
    const tick within_level = (tick{1} << (shift + digit_bits)) - 1;
    return (cursor_ & ~within_level) | (tick{p.index} << shift);
}

void timer_queue::vacate(position p) noexcept {
    occupied_[static_cast<std::size_t>(p.level)] &= ~(std::uint64_t{1} << p.index);
}

// What is due before the cursor goes to the cursor's own slot, which is looked at first.
void timer_queue::place(timer& t) noexcept {
    const tick at = std::max(tick_of(t.due.time()), cursor_);
    const auto differing = static_cast<std::uint64_t>(at ^ cursor_);
    const int level = (static_cast<int>(std::bit_width(differing | 1)) - 1) / digit_bits;
    const auto index = static_cast<int>((at >> (level * digit_bits)) & (slots_per_level - 1));

    slot& s = slot_at({level, index});
    if (s.timers.empty() || t.due < s.earliest) {
        s.earliest = t.due;
    }
    s.timers.push_back(t);
    occupied_[static_cast<std::size_t>(level)] |= std::uint64_t{1} << index;
}

// The cursor has just entered the slot, so each timer differs from it in a lower digit than before
// and finds its place on a lower level, in a slot that was empty: the order of insertion is kept.
void timer_queue::cascade(position p) noexcept {
    vacate(p);
    timer_list& timers = slot_at(p).timers;
    while (!timers.empty()) {
        timer& t = timers.front();
        timers.pop_front();
        place(t);
    }
}

void timer_queue::take_whole_slot(position p) noexcept {
    vacate(p);
    append_in_order(slot_at(p).timers);
}

void timer_queue::take_due_of_current_tick(position p, time_point now) noexcept {
    slot& s = slot_at(p);
    if (s.earliest > now) {
        return;
    }
    timer_list batch;
    s.earliest = deadline::never();
    for (auto it = s.timers.begin(); it != s.timers.end();) {
        timer& t = *it++;
        if (t.due <= now) {
            t.unlink();
            batch.push_back(t);
        } else {
            s.earliest = std::min(s.earliest, t.due);
        }
    }
    if (s.timers.empty()) {
        vacate(p);
    }
    append_in_order(batch);
}

void timer_queue::append_in_order(timer_list& batch) noexcept {
    // Mostly it is in order already, and a look is cheaper than a sort.
    if (!std::is_sorted(batch.begin(), batch.end(), is_due_before)) {
        batch.sort(is_due_before);  // stable
    }
    due_.splice(due_.end(), batch);
}

void timer_queue::collect_due(time_point now) noexcept {
    COIR_ASSERT(!firing_, "a timer's callback must not collect timers");
    // A caller whose time went back finds what the current tick holds, and moves nothing.
    const tick now_tick = std::max(tick_of(now), cursor_);
    for (position p = first_occupied(); p.level != levels; p = first_occupied()) {
        const tick start = start_of(p);
        if (start > now_tick) {
            break;
        }
        cursor_ = start;
        if (p.level != 0) {
            cascade(p);
        } else if (start < now_tick) {
            take_whole_slot(p);
        } else {
            take_due_of_current_tick(p, now);
            break;
        }
    }
    // Nothing is left that starts before, so no timer's highest differing digit changes.
    cursor_ = now_tick;
}

}  // namespace coir::detail
