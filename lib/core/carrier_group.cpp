// SPDX-License-Identifier: BSL-1.0
#include "core/carrier_group.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/processors.hpp"
#include "core/scheduler.hpp"

#include <exception>
#include <string>
#include <utility>

namespace coir::detail {

carrier_group::carrier_group(std::size_t size)
    : size_(size),
      may_spin_(size > 1 && size <= available_processors()),
      seats_(std::make_unique<seat[]>(size)),
      holds_(size) {}

carrier_group::~carrier_group() = default;

void carrier_group::enlist(scheduler& carrier, std::size_t number) noexcept {
    COIR_ASSERT(number < size_ && seats_[number].carrier == nullptr, "a carrier's seat is taken");
    seats_[number].carrier = &carrier;
}

void carrier_group::post_to_all(inbox_item& (*item_of)(scheduler&)) noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
        scheduler& carrier = *seats_[i].carrier;
        inbox_item& item = item_of(carrier);
        if (scheduler::current() == &carrier) {
            item.deliver(item);
        } else {
            carrier.post(item);
        }
    }
}

// --- Ending ------------------------------------------------------------------------------------

void carrier_group::let_go() noexcept {
    // acq_rel: what the others did before they let go comes before the end.
    if (holds_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        post_to_all(
            [](scheduler& carrier) noexcept -> inbox_item& { return carrier.calls().over; });
    }
}

void carrier_group::stop() noexcept {
    post_to_all([](scheduler& carrier) noexcept -> inbox_item& { return carrier.calls().stop; });
}

void carrier_group::cancel_all(cancel_cause cause) noexcept {
    cause_ = cause;
    post_to_all([](scheduler& carrier) noexcept -> inbox_item& { return carrier.calls().cancel; });
}

// --- Work for idle carriers --------------------------------------------------------------------

bool carrier_group::anything_unstarted() const noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
        if (seats_[i].carrier->has_unstarted()) {
            return true;
        }
    }
    return false;
}

void carrier_group::call_idle(const scheduler& spawner) noexcept {
    do {
        if (idle_.load(std::memory_order_seq_cst) == 0 ||
            called_.exchange(true, std::memory_order_seq_cst)) {
            return;  // nobody is idle, or one that is called already will look after this
        }
        if (call_one(spawner.number() + 1)) {
            return;
        }
        // Whoever was idle came back by itself, and may have looked before there was something. Nor
        // has anybody been called by those who came meanwhile and left it to us.
        called_.store(false, std::memory_order_seq_cst);
    } while (anything_unstarted());
}

bool carrier_group::call_one(std::size_t first) noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
        seat& one = seats_[(first + i) % size_];
        if (one.idle.load(std::memory_order_relaxed) &&
            one.idle.exchange(false, std::memory_order_seq_cst)) {
            idle_.fetch_sub(1, std::memory_order_seq_cst);
            one.carrier->post(one.carrier->calls().work);
            return true;
        }
    }
    return false;
}

bool carrier_group::steal_for(scheduler& thief) noexcept {
    const std::size_t first = thief.number() + 1;
    for (std::size_t i = 0; i + 1 < size_; ++i) {
        scheduler& loaded = *seats_[(first + i) % size_].carrier;
        if (loaded.has_unstarted() && loaded.give_unstarted_to(thief)) {
            return true;
        }
    }
    return false;
}

bool carrier_group::go_idle(const scheduler& carrier) noexcept {
    if (size_ == 1) {
        return true;
    }
    seat& own = seats_[carrier.number()];
    if (!own.call_expected) {
        own.says_idle = true;
        own.idle.store(true, std::memory_order_seq_cst);
        idle_.fetch_add(1, std::memory_order_seq_cst);
    }
    if (!anything_unstarted()) {
        return true;
    }
    come_back(carrier);
    return false;
}

void carrier_group::come_back(const scheduler& carrier) noexcept {
    leave_quiet(carrier);
    seat& own = seats_[carrier.number()];
    if (!std::exchange(own.says_idle, false)) {
        return;
    }
    if (own.idle.exchange(false, std::memory_order_seq_cst)) {
        idle_.fetch_sub(1, std::memory_order_seq_cst);
    } else {
        own.call_expected = true;
        called_.store(false, std::memory_order_seq_cst);  // it is heeded from here on
    }
}

void carrier_group::call_arrived(const scheduler& carrier) noexcept {
    bool& expected = seats_[carrier.number()].call_expected;
    COIR_ASSERT(expected, "a carrier is called that was not idle");
    expected = false;
}

// --- Deadlock ----------------------------------------------------------------------------------

bool carrier_group::all_quiet_with(const scheduler& carrier) noexcept {
    seats_[carrier.number()].quiet.store(true, std::memory_order_release);
    if (quiet_.fetch_add(1, std::memory_order_acq_rel) + 1 != size_) {
        return false;
    }
    const std::lock_guard guard(declaring_);
    const std::size_t before = epoch_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < size_; ++i) {  // quiet first, then the inbox
        if (!seats_[i].quiet.load(std::memory_order_acquire) ||
            !seats_[i].carrier->inbox_asleep()) {
            return false;
        }
    }
    if (epoch_.load(std::memory_order_acquire) != before) {
        return false;
    }
    leave_quiet(carrier);  // under the lock, so that nobody else declares it too
    return true;
}

void carrier_group::leave_quiet(const scheduler& carrier) noexcept {
    std::atomic<bool>& quiet = seats_[carrier.number()].quiet;
    if (quiet.load(std::memory_order_relaxed)) {
        quiet.store(false, std::memory_order_release);
        epoch_.fetch_add(1, std::memory_order_acq_rel);
        quiet_.fetch_sub(1, std::memory_order_acq_rel);
    }
}

void carrier_group::break_deadlock() noexcept {
    {
        const std::lock_guard guard(report_mutex_);
        reports_missing_ = size_;
        descriptions_.clear();
    }
    post_to_all([](scheduler& carrier) noexcept -> inbox_item& { return carrier.calls().report; });
}

void carrier_group::contribute(const scheduler& carrier) noexcept {
    const std::lock_guard guard(report_mutex_);
    try {
        if (size_ > 1) {
            descriptions_ += "  on carrier " + std::to_string(carrier.number()) + ":\n";
        }
        descriptions_ += carrier.describe_fibers();
        if (--reports_missing_ == 0) {
            conclude();
        }
    } catch (const std::exception&) {
        COIR_PANIC("deadlock, and no memory to report it");
    }
}

// Every fiber waits for another, and nobody outside could help. The report tells who for what; then
// everything is cancelled, so that the program gets an exception instead of a silence.
void carrier_group::conclude() {
    if (!report_.empty()) {
        log(log_level::error,
            "deadlock again after cancelling, by fibers that shield "
            "themselves:\n" +
                descriptions_);
        COIR_PANIC("deadlock of fibers that cannot be cancelled");
    }
    report_ =
        "deadlock: nothing is ready, no timer is armed, and nobody outside could wake a fiber. "
        "All fibers:\n" +
        descriptions_;
    log(log_level::error, report_);
    post_to_all([](scheduler& carrier) noexcept -> inbox_item& { return carrier.calls().give_up; });
}

}  // namespace coir::detail
