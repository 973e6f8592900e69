// SPDX-License-Identifier: BSL-1.0
#include "core/signal_line.hpp"

#include "core/scheduler.hpp"
#include "core/waiter.hpp"

#include <coir/detail/interposition.hpp>

namespace coir::detail {

namespace {

constexpr ended_by both[] = {ended_by::handlers_without_restart, ended_by::any_handler};

constinit std::atomic<bool> somebody_counts = false;

// Read and written in handlers, and so never allocated on first use.
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
constinit thread_local by_handlers<std::atomic<std::uint32_t>> counts
    [[gnu::tls_model("initial-exec")]];

}  // namespace

std::uint32_t handlers_run(ended_by which) noexcept {
    return counts[which].load(std::memory_order_relaxed);
}

// acq_rel: who finds it on its way has told before that is delivered, and who delivers sees what
// was told before.
void signal_line::wake_soon() noexcept {
    if (!on_its_way_.exchange(true, std::memory_order_acq_rel)) {
        home_.post(delivery_);
    }
}

void signal_line::tell(ended_by which) noexcept {
    told_[which].store(true, std::memory_order_relaxed);
    wake_soon();
}

void signal_line::deliver_to_line(inbox_item& item) noexcept {
    static_cast<delivery&>(item).line.deliver();
}

// A handler that runs meanwhile posts again, and is not in the counts that are noted here.
void signal_line::deliver() noexcept {
    on_its_way_.exchange(false, std::memory_order_acq_rel);
    for (const ended_by which : both) {
        std::uint32_t run = handlers_run(which);
        const bool ran_here = run != woken_for_[which];
        const bool ran_elsewhere = told_[which].exchange(false, std::memory_order_relaxed);
        if (ran_elsewhere) {
            counts[which].fetch_add(1, std::memory_order_relaxed);
            ++run;
        }
        woken_for_[which] = run;
        if (ran_here) {
            tell_others(which);
        }
        if (ran_here || ran_elsewhere) {
            queue(which).unpark_all();
        }
    }
}

// As long as this carrier holds the group, the others are there.
void signal_line::tell_others(ended_by which) noexcept {
    carrier_group& all = home_.carriers();
    for (std::size_t i = 0; i < all.size() && home_.holds_the_group(); ++i) {
        if (i != home_.number()) {
            all[i].signals().tell(which);
        }
    }
}

void signal_line::enter(wait_node& node, ended_by which) noexcept {
    node.link_before(queue(which).head_);
}

void signal_watch::begin() noexcept {
    if (begun_) {
        return;
    }
    begun_ = true;
    for (const ended_by which : both) {
        run_before_[which] = handlers_run(which);
    }
    if (scheduler* const home = scheduler::current()) {
        line_ = &home->signals();
    }
}

bool signal_watch::is_over(ended_by which) const noexcept {
    return begun_ && which != ended_by::no_handler && run_before_[which] != handlers_run(which);
}

wait_queue* signal_watch::queue(ended_by which) const noexcept {
    return line_ != nullptr && which != ended_by::no_handler ? &line_->queue(which) : nullptr;
}

wait_status signal_watch::park(ended_by which, deadline until, const wait_label& label) noexcept {
    wait_queue nobody_notifies;
    wait_queue* const line = queue(which);
    return (line != nullptr ? *line : nobody_notifies).park(until, label);
}

bool handlers_are_counted() noexcept { return somebody_counts.load(std::memory_order_relaxed); }

void signal_handlers_will_be_counted() noexcept {
    somebody_counts.store(true, std::memory_order_relaxed);
}

// Another handler may interrupt an addition: so these are made at once.
void count_signal_handler(bool restarts) noexcept {
    counts[ended_by::any_handler].fetch_add(1, std::memory_order_relaxed);
    if (!restarts) {
        counts[ended_by::handlers_without_restart].fetch_add(1, std::memory_order_relaxed);
    }
    if (scheduler* const home = scheduler::current()) {
        home->signals().wake_soon();
    }
}

}  // namespace coir::detail
