// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/idle_source.hpp"
#include "core/signal_line.hpp"
#include "reactor/completions.hpp"
#include "reactor/descriptor_records.hpp"
#include "reactor/interest_table.hpp"
#include "reactor/io_interest.hpp"
#include "reactor/poller.hpp"

#include <coir/deadline.hpp>
#include <coir/wait_queue.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace coir::detail {

// Who waits for which descriptor. One per carrier thread, used by that thread alone but for wake()
// and closed_elsewhere().
//
// An event sets the readiness bit of its direction and wakes every fiber that waits for it; each
// tries again, and whoever comes too late waits again. With one waiter, the common case, that is a
// wake-up each; with several, none can be forgotten, which handing the event to one of them could
// not promise, since that one may be cancelled meanwhile.
//
// The bits spare system calls: after a call that moved less than it could have (a short read), it
// is certain that the next would say EAGAIN, until an event says otherwise. An edge that comes
// between that call and the clearing of the bit is not lost: events are only taken in wait(),
// later.
class reactor final : public idle_source {
public:
    explicit reactor(std::unique_ptr<poller> backend);
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;
    ~reactor() override;

    // The calling carrier's; null on a plain thread, and where a test has its own idle source.
    static reactor* current() noexcept { return current_; }

    // Makes it the calling thread's.
    class on_this_thread {
    public:
        explicit on_this_thread(reactor& r) noexcept;
        on_this_thread(const on_this_thread&) = delete;
        on_this_thread& operator=(const on_this_thread&) = delete;
        ~on_this_thread() { current_ = nullptr; }
    };

    // In the child of a fork(2): its poller is one with the parent's, and must not be touched.
    // Async-signal-safe.
    static void leave_in_child() noexcept;

    // Waits until it has happened, or such a handler of a signal has run. Readiness may be
    // spurious, and is if it was a handler.
    io_result wait_one(const io_interest& interest, deadline until, cancellable cancel,
                       ended_by signals = ended_by::no_handler) noexcept;
    // The same for one of `count` things.
    io_result wait_any(const io_interest* interests, std::size_t count, deadline until,
                       cancellable cancel, ended_by signals = ended_by::no_handler) noexcept;

    // See io_completes(), io_in_company(), io_perform() and io_submit().
    bool completes() const noexcept { return completions_ != nullptr; }
    bool completes(const io_operation& operation) const noexcept;
    bool in_company() const noexcept;
    io_result perform(io_operation& operation) noexcept;

    // What is known of a descriptor; null: nothing. Stays where it is.
    interest_entry* entry_of(int descriptor) const noexcept { return table_.find(descriptor); }

    // The descriptor is about to be closed: waits for it end with EBADF, and nothing is remembered.
    void forget(int descriptor) noexcept;

    // Another thread closes it, or has: the same, soon, on this reactor's own thread, unless the
    // number has the file that is meant here. Any thread.
    void closed_elsewhere(int descriptor) noexcept;
    std::uint32_t number() const noexcept { return registration_.number(); }

    // wait(), telling how many events there were, ends of operations among them.
    std::size_t take_events(deadline until) noexcept;

    std::size_t waits() const noexcept { return waits_; }
    const char* backend_name() const noexcept { return poller_->name(); }

    // A descriptor that is readable when there are events or a wake-up; -1: there is none.
    int descriptor() const noexcept { return poller_->descriptor(); }

    void submit_operations(int descriptor) noexcept;

    // See poller::submit().
    void submit() noexcept { poller_->submit(); }

    void wait(deadline until) noexcept override;
    void wake() noexcept override;

private:
    struct armed_wait;
    class armed_waits;

    int announce(interest_entry& entry, int descriptor, descriptor_kind kind) noexcept;
    interest_entry* entry_at(int descriptor) noexcept;
    wait_status park_for(waiter& w, deadline until, const wait_label& label, cancellable cancel,
                         ended_by signals) noexcept;
    std::uint32_t begin_wait(interest_entry& entry, const io_interest& interest) noexcept;
    bool goes_on(interest_entry& entry, const io_interest& interest, std::uint32_t life) noexcept;
    bool renew(interest_entry& entry, int descriptor, direction_set wanted) noexcept;
    void forget_life(interest_entry& entry, int descriptor, std::uint32_t life) noexcept;
    void forget_closed() noexcept;
    void withdraw(interest_entry& entry, int descriptor) noexcept;
    void expect(std::size_t i, std::size_t count) const noexcept;
    void dispatch(const poller_event& event) noexcept;
    void stop_standing(interest_entry& entry, const poller_key& key) noexcept;

    static constinit thread_local reactor* current_;
    static constexpr std::size_t events_at_once = 256;

    // A socket that has moved to another carrier is still watched here, and each of its events
    // would wake this one. So many in a row that nobody has waited for, and it is not watched any
    // more. That costs two system calls where it was wrong, hence not the first one.
    static constexpr std::uint8_t most_events_for_nobody = 8;

    std::unique_ptr<poller> poller_;
    completion_port* const completions_;  // the poller's; null: it has none
    interest_table table_;
    std::size_t waits_ = 0;
    std::array<poller_event, events_at_once> events_;

    std::mutex closed_mutex_;         // guards what follows, and has_closed_ but for glances
    std::vector<int> closed_;         // by other threads
    bool all_may_be_closed_ = false;  // there was no memory to say which
    std::atomic<bool> has_closed_{false};

    const reactor_registration registration_{*this};  // last: others see the whole of it
};

}  // namespace coir::detail
