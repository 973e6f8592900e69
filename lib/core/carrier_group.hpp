// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scope.hpp"

#include <coir/detail/spin_lock.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

namespace coir::detail {

class scheduler;
struct inbox_item;

// The carriers of one run(): schedulers, each on a thread of its own, that share what has not
// started yet, find out together that nothing can go on, and end together. A group of one does all
// of it without a look at anybody else.
//
// Thread safety: any carrier of the group, unless said otherwise. Carriers never wait for each
// other here; what one wants of another goes through that one's inbox.
class carrier_group {
public:
    explicit carrier_group(std::size_t size);
    carrier_group(const carrier_group&) = delete;
    carrier_group& operator=(const carrier_group&) = delete;
    ~carrier_group();

    // Before any of them runs a fiber; each once.
    void enlist(scheduler& carrier, std::size_t number) noexcept;

    std::size_t size() const noexcept { return size_; }
    // Whether an idle carrier may spin before it sleeps: each has a processor, and there are others
    // that could have something for it.
    bool may_spin() const noexcept { return may_spin_; }

    scheduler& operator[](std::size_t number) noexcept { return *seats_[number].carrier; }

    // --- Ending. Every carrier holds the group until, told to stop, it has no fiber left, and
    // again while it then gets one; so does whatever is on its way to become a fiber of a carrier.
    // What is held by nobody has no fiber and will get none, for it would take a fiber to spawn
    // one.

    void hold() noexcept { holds_.fetch_add(1, std::memory_order_relaxed); }
    void let_go() noexcept;  // the last one tells every carrier that all is over

    // Tells every carrier to cancel its fibers and to stop.
    void stop() noexcept;

    // A scope around the whole run is cancelled. Once.
    void cancel_all(cancel_cause cause) noexcept;
    cancel_cause cause() const noexcept { return cause_; }  // for whom cancel_all() has told

    // --- Work for idle carriers. `idle` and the carriers' counts of unstarted fibers are a pair of
    // Dekker's: a carrier says that it is idle and then looks for work, a spawner adds work and
    // then looks for an idle carrier, all of it sequentially consistent. So one of them sees the
    // other.
    //
    // One carrier is called at a time: `called_` is true from the call until that carrier looks for
    // work, and who finds it true leaves the matter to that one. So it goes on calling when it has
    // taken some and left some; it answers when it comes back for whatever reason; and a caller
    // that finds nobody looks again at what it was left.
    //
    // The call is an item in the inbox, which must not be posted again while it is on its way. A
    // slow caller may not have posted it yet when the called one has come back by itself, looked,
    // and is about to block again. So that one does not say that it is idle until the item has
    // arrived, which wakes it anyhow. test/model/stealing.pml is a model of it.

    // There is something unstarted: calls an idle carrier, unless one is on its way.
    void call_idle(const scheduler& spawner) noexcept;

    // The called one's item has arrived, and it looks for work next.
    void call_arrived(const scheduler& carrier) noexcept;

    // Whether there is anything that any carrier may start. A glance.
    bool anything_unstarted() const noexcept;

    // Gives the thief some of the unstarted fibers of another. False: there are none.
    bool steal_for(scheduler& thief) noexcept;

    // Whether a carrier may block. False: there is something to steal. If so, it says come_back()
    // when it no longer blocks.
    bool go_idle(const scheduler& carrier) noexcept;
    void come_back(const scheduler& carrier) noexcept;

    // --- Deadlock. A carrier is quiet from when it is about to block for ever, its inbox asleep,
    // until it comes back. It alone writes its `quiet` and its share of the count; whoever posts to
    // a sleeping one moves the epoch before the wake-up, and so does who leaves the quiet before it
    // looks for anything to do. The one that makes the count complete looks at everybody's `quiet`
    // and inbox, in this order, and declares a deadlock if the epoch has not moved meanwhile.
    //
    // Why that is right: a carrier whose inbox is asleep holds no item and runs nothing. Suppose a
    // scan passes, and somebody is active at its end all the same. Let j -> i be the first item
    // that was handed over after the scan read i's inbox. j ran then, so the sleep that the scan
    // reads of j came later. If j found i asleep, it moved the epoch before its own sleep. If it
    // found i awake, i had left the quiet after the scan read it. Either way the scan sees the
    // epoch moved. And it is declared in the end: the last one to make the count complete finds all
    // of it so.
    //
    // The inbox's operations are acq_rel for this: what a carrier did before try_sleep() is seen by
    // whoever reads `asleep`, what it did before awake() by whoever posts after.
    // test/model/quiet.pml is a model of it.

    // The carrier, whose inbox is asleep, has no timer and waits for nobody outside. True: so do
    // all the others, and the caller breaks the deadlock. Undone by come_back().
    bool all_quiet_with(const scheduler& carrier) noexcept;

    // The poster, to a carrier whose inbox was asleep, before it wakes that.
    void disturb() noexcept { epoch_.fetch_add(1, std::memory_order_acq_rel); }

    // Has every carrier describe its fibers, then logs the report, and cancels all of them.
    void break_deadlock() noexcept;
    void contribute(const scheduler& carrier) noexcept;  // what break_deadlock() asks of each
    const std::string& deadlock_report() const noexcept { return report_; }  // when all is over

private:
    struct alignas(64) seat {
        scheduler* carrier = nullptr;
        std::atomic<bool> idle{false};
        std::atomic<bool> quiet{false};
        bool says_idle = false;      // and the next one: the carrier's own. It has set `idle`
        bool call_expected = false;  // it was called, and the item is yet to arrive
    };

    bool call_one(std::size_t first) noexcept;
    void leave_quiet(const scheduler& carrier) noexcept;
    void conclude();
    void post_to_all(inbox_item& (*item_of)(scheduler&)) noexcept;

    const std::size_t size_;
    const bool may_spin_;
    const std::unique_ptr<seat[]> seats_;
    std::atomic<std::size_t> holds_;
    cancel_cause cause_ = cancel_cause::none;  // published by the posts of cancel_all()

    alignas(64) std::atomic<std::size_t> idle_{0};  // apart from what carriers only look at
    std::atomic<bool> called_{false};

    std::atomic<std::size_t> quiet_{0};
    std::atomic<std::size_t> epoch_{0};
    spin_lock declaring_;

    std::mutex report_mutex_;  // guards what follows, until all is over
    std::size_t reports_missing_ = 0;
    std::string descriptions_;
    std::string report_;  // of the first deadlock
};

}  // namespace coir::detail
