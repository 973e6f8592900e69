// SPDX-License-Identifier: BSL-1.0
// Semaphores, events and the like: what was given was had, once, or is there still.
#include "stress/tables.hpp"

#include <coir/cancellation.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coir::stress {

namespace {

// Permits that are acquired, held for a moment and released.
template <std::ptrdiff_t Permits>
class semaphore_test : public test {
public:
    bool attempt(participant& self) override {
        if (!permits_.try_acquire_until(self.some_deadline())) {
            return false;
        }
        require(++holders_ <= Permits, "more holders than permits");
        struct release {
            semaphore_test& owner;
            ~release() {
                --owner.holders_;
                owner.permits_.release();
            }
        } const guard{*this};
        if (self.pick(4) == 0) {
            this_fiber::sleep_for(std::chrono::microseconds(self.pick(30)));
        }
        return true;
    }

    std::string check(const totals&) override {
        for (std::ptrdiff_t i = 0; i < Permits; ++i) {
            if (!permits_.try_acquire()) {
                return "a permit is lost";
            }
        }
        return permits_.try_acquire() ? "a permit too many" : broken();
    }

private:
    counting_semaphore<Permits> permits_{Permits};
    std::atomic<std::ptrdiff_t> holders_{0};
};

// Some set, some wait. Settings of an event that is set already are not told from others, so what
// passes has a bound on one side only.
class automatic_event_test : public test {
public:
    bool attempt(participant& self) override {
        if (self.pick(3) == 0) {
            ++settings_;
            event_.set();
            return true;
        }
        const bool passed = event_.wait_until(self.some_deadline());
        passes_ += passed ? 1 : 0;
        return passed;
    }

    std::string check(const totals&) override {
        if (passes_ + (event_.is_set() ? 1 : 0) > settings_) {
            return "more have passed than it was set";
        }
        if (passes_ == 0) {
            return "nobody has passed";
        }
        event_.set();
        return event_.try_wait() && !event_.try_wait() ? broken() : "it does not work any more";
    }

private:
    event event_{event::reset_mode::automatic};
    std::atomic<std::uint64_t> settings_{0};
    std::atomic<std::uint64_t> passes_{0};
};

// Some set, some reset, some wait.
class manual_event_test : public test {
public:
    bool attempt(participant& self) override {
        switch (self.pick(6)) {
            case 0: event_.reset(); return true;
            case 1:
                value_.store(1, std::memory_order_relaxed);
                event_.set();
                return true;
            default: break;
        }
        if (!event_.wait_until(self.some_deadline())) {
            return false;
        }
        require(value_.load(std::memory_order_relaxed) == 1, "passed before it was ever set");
        return true;
    }

    std::string check(const totals&) override {
        event_.set();
        return event_.try_wait() ? broken() : "it does not work any more";
    }

private:
    event event_;
    std::atomic<int> value_{0};
};

// Some count down, some wait; a latch that is down is replaced.
class latch_test : public test {
public:
    bool attempt(participant& self) override {
        const std::shared_ptr<round> mine = rounds_.present();
        if (self.pick(3) != 0) {
            if (!mine->down.wait_until(self.some_deadline())) {
                return false;
            }
            require(mine->before.load(std::memory_order_relaxed) == count,
                    "passed before it was down");
            return true;
        }
        const int number = mine->arriving.fetch_add(1) + 1;
        if (number <= count) {
            mine->before.fetch_add(1, std::memory_order_relaxed);
            mine->down.count_down();
        }
        if (number == count) {
            rounds_.replace(*mine);
            mine->down.wait();  // for those who are not done with counting; a lost count hangs here
        }
        return true;
    }

    std::string check(const totals&) override {
        return rounds_.count() == 0 ? "no latch ever went down" : broken();
    }

private:
    static constexpr int count = 4;
    struct round {
        latch down{count};
        std::atomic<int> arriving{0};
        std::atomic<int> before{0};
    };

    generations<round> rounds_;
};

// Whoever comes arrives in the phase that there is; many come more often than one phase takes. The
// arrival of one that was cancelled stands. The wait has a deadline by a scope: in the end there
// may be too few for a phase.
class barrier_test : public test {
public:
    bool attempt(participant& self) override {
        std::uint64_t phase = 0;
        std::optional<arrival_token> arrival;
        {
            const std::lock_guard lock(arriving_);  // or two could be the last of one phase
            phase = arrivals_++ / expected;
            arrival.emplace(barrier_.arrive());
            require(completions_ == arrivals_ / expected, "a phase ended too early or too late");
        }
        cancel_scope scope(self.some_deadline());
        if (!scope.run([&] { barrier_.wait(std::move(*arrival)); })) {
            return false;
        }
        const std::lock_guard lock(arriving_);
        require(completions_ > phase, "passed before the phase was over");
        return true;
    }

    std::string check(const totals&) override {
        return completions_ == arrivals_ / expected ? broken() : "a phase was lost";
    }

private:
    static constexpr std::uint64_t expected = 3;
    struct complete {
        std::uint64_t& completions;
        void operator()() const noexcept { ++completions; }
    };
    using arrival_token = barrier<complete>::arrival_token;

    mutex arriving_;
    std::uint64_t arrivals_ = 0;
    std::uint64_t completions_ = 0;
    barrier<complete> barrier_{expected, complete{completions_}};
};

// Producers and consumers, one lock, one condition variable.
class condition_variable_test : public test {
public:
    bool attempt(participant& self) override {
        std::unique_lock lock(mutex_);
        if (self.pick(2) == 0) {
            ++items_;
            ++produced_;
            changed_.notify_one();
            return true;
        }
        const bool there =
            changed_.wait_until(lock, self.some_deadline(), [this] { return items_ > 0; });
        require(lock.owns_lock(), "waited, and does not own the lock");
        if (!there) {
            return false;
        }
        --items_;
        ++consumed_;
        return true;
    }

    std::string check(const totals&) override {
        return items_ + consumed_ == produced_ ? broken() : "items are lost";
    }

private:
    mutex mutex_;
    condition_variable changed_;
    std::uint64_t items_ = 0;
    std::uint64_t produced_ = 0;
    std::uint64_t consumed_ = 0;
};

}  // namespace

const std::vector<entry> signal_tests = {
    {"semaphore", make<semaphore_test<3>>},
    {"binary_semaphore", make<semaphore_test<1>>},
    {"event_manual", make<manual_event_test>},
    {"event_automatic", make<automatic_event_test>},
    {"latch", make<latch_test>},
    {"barrier", make<barrier_test>},
    {"condition_variable", make<condition_variable_test>},
};

}  // namespace coir::stress
