// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scheduler.hpp"
#include "reactor/poller.hpp"
#include "reactor/reactor.hpp"
#include "time/clock.hpp"

#include <coir/deadline.hpp>
#include <coir/detail/function_ref.hpp>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coir::test {

// A poller with no kernel. It writes down what it is asked, and its events are the test's: what
// waits in `batches`, one batch a wait. With none left, its virtual clock jumps to the deadline.
class scripted_poller final : public detail::poller {
public:
    struct journal {
        std::string text;  // one line a call
        std::deque<std::vector<detail::poller_event>> batches;
        std::deque<int> errors;           // for the next set_...() calls; none left: 0
        std::deque<bool> renewals;        // what the next renew_...() calls say; none left: true
        std::function<void()> meanwhile;  // runs once, in the next set_...() call
        int waits = 0;
        bool standing_interest = true;
    };

    scripted_poller(journal& j, detail::virtual_clock& time) noexcept : journal_(j), time_(time) {}

    const char* name() const noexcept override { return "scripted"; }
    bool has_standing_interest() const noexcept override { return journal_.standing_interest; }

    int set_standing(detail::poller_key key) noexcept override {
        write_down("standing", key, "rw");
        return next_error();
    }

    int set_one_shot(detail::poller_key key, detail::direction_set wanted) noexcept override {
        write_down("one_shot", key, letters(wanted));
        return next_error();
    }

    bool renew_standing(detail::poller_key key) noexcept override {
        write_down("renew_standing", key, "rw");
        return next_renewal();
    }

    bool renew_one_shot(detail::poller_key key, detail::direction_set wanted) noexcept override {
        write_down("renew", key, letters(wanted));
        return next_renewal();
    }

    void forget(int descriptor) noexcept override {
        journal_.text += "forget " + std::to_string(descriptor) + "\n";
    }

    std::size_t wait(deadline until, detail::poller_event* events,
                     std::size_t capacity) noexcept override {
        ++journal_.waits;
        if (journal_.batches.empty()) {
            if (until.is_never()) {
                std::fputs("scripted_poller: the script is over and everybody waits\n", stderr);
                std::abort();
            }
            if (until != deadline::immediately()) {
                time_.advance_to(until.time());
            }
            return 0;
        }
        const auto batch = std::move(journal_.batches.front());
        journal_.batches.pop_front();
        std::size_t used = 0;
        for (; used < batch.size() && used < capacity; ++used) {
            events[used] = batch[used];
        }
        return used;
    }

    void wake() noexcept override {}

private:
    static std::string letters(detail::direction_set wanted) {
        return std::string(wanted.read ? "r" : "") + (wanted.write ? "w" : "");
    }

    void write_down(const char* call, detail::poller_key key, const std::string& what) {
        journal_.text +=
            std::string(call) + ' ' + std::to_string(key.descriptor) + ' ' + what + "\n";
    }

    int next_error() {
        if (journal_.meanwhile) {
            std::exchange(journal_.meanwhile, nullptr)();
        }
        if (journal_.errors.empty()) {
            return 0;
        }
        const int error = journal_.errors.front();
        journal_.errors.pop_front();
        return error;
    }

    bool next_renewal() {
        if (journal_.renewals.empty()) {
            return true;
        }
        const bool renewed = journal_.renewals.front();
        journal_.renewals.pop_front();
        return renewed;
    }

    journal& journal_;
    detail::virtual_clock& time_;
};

// A carrier thread whose reactor stands on a scripted poller.
struct scripted_world {
    explicit scripted_world(bool standing_interest = true)
        : current_clock(time), events(std::make_unique<scripted_poller>(script, time)) {
        script.standing_interest = standing_interest;
    }

    template <class F>
    void run(F body) {
        detail::scheduler fibers({}, events);
        fibers.run_main(body);
    }

    // Takes what the journal says so far.
    std::string calls() { return std::exchange(script.text, std::string()); }

    detail::virtual_clock time;
    detail::clock_scope current_clock;
    scripted_poller::journal script;
    detail::reactor events;
    detail::reactor::on_this_thread current_reactor{events};
};

// Events.
inline detail::poller_event readable(int descriptor, std::uint32_t generation = 1) {
    return {{descriptor, generation}, true, false, false, false, false};
}
inline detail::poller_event writable(int descriptor, std::uint32_t generation = 1) {
    return {{descriptor, generation}, false, true, false, false, false};
}
inline detail::poller_event hung_up(int descriptor, std::uint32_t generation = 1) {
    return {{descriptor, generation}, true, true, true, true, false};
}

}  // namespace coir::test
