// SPDX-License-Identifier: BSL-1.0
// Plain threads wake fibers of a run() that sleeps in the kernel.
#include <coir/run.hpp>

#include <coir/deadline.hpp>
#include <coir/fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

using coir::deadline;
using coir::fiber;
using coir::run;
using namespace std::chrono_literals;

namespace {

// A flag that fibers and threads wait for.
class signal_flag {
public:
    void set() {
        const std::lock_guard lock(mutex_);
        set_ = true;
        changed_.unpark_all();
    }

    bool wait(deadline until = deadline::never()) {
        std::unique_lock lock(mutex_);
        while (!set_) {
            if (changed_.park(lock, until) != coir::wait_status::notified) {
                return false;
            }
        }
        return true;
    }

private:
    std::mutex mutex_;
    bool set_ = false;
    coir::wait_queue changed_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(wake_ups_of_run)

BOOST_AUTO_TEST_CASE(a_thread_wakes_a_fiber_long_before_its_deadline) {
    const auto before = std::chrono::steady_clock::now();
    run([] {
        signal_flag flag;
        std::thread setter([&] { flag.set(); });
        BOOST_TEST(flag.wait(deadline::after(1h)));
        setter.join();
    });
    BOOST_TEST((std::chrono::steady_clock::now() - before < 10min));
}

// Goal: no wake-up is lost, whatever the carrier is about to do. Method: a thread and a fiber hand
// the turn to and fro, so that each round may meet the carrier awake, on its way to the kernel or
// in it; a lost wake-up hangs.
BOOST_AUTO_TEST_CASE(a_thread_and_a_fiber_take_turns) {
    constexpr std::size_t rounds = 1000;
    std::deque<signal_flag> pings(rounds);
    std::deque<signal_flag> pongs(rounds);
    std::thread other([&] {
        for (std::size_t i = 0; i < rounds; ++i) {
            pings[i].wait();
            pongs[i].set();
        }
    });
    run([&] {
        for (std::size_t i = 0; i < rounds; ++i) {
            pings[i].set();
            pongs[i].wait();
        }
    });
    other.join();
}

BOOST_AUTO_TEST_CASE(many_threads_wake_many_fibers) {
    constexpr std::size_t threads = 4;
    constexpr std::size_t each = 50;
    std::deque<signal_flag> flags(threads * each);
    std::size_t woken = 0;
    run([&] {
        std::deque<fiber> fibers;
        for (signal_flag& flag : flags) {
            fibers.emplace_back([&] { woken += flag.wait() ? 1U : 0U; });
        }
        std::vector<std::thread> setters;
        for (std::size_t t = 0; t < threads; ++t) {
            setters.emplace_back([&, t] {
                for (std::size_t i = 0; i < each; ++i) {
                    flags[t + i * threads].set();
                }
            });
        }
        for (fiber& f : fibers) {
            f.join();
        }
        for (std::thread& setter : setters) {
            setter.join();
        }
    });
    BOOST_TEST(woken == threads * each);
}

BOOST_AUTO_TEST_CASE(two_runs_wake_each_other) {
    constexpr std::size_t rounds = 500;
    std::deque<signal_flag> pings(rounds);
    std::deque<signal_flag> pongs(rounds);
    std::thread other([&] {
        run([&] {
            for (std::size_t i = 0; i < rounds; ++i) {
                pings[i].wait();
                pongs[i].set();
            }
        });
    });
    run([&] {
        for (std::size_t i = 0; i < rounds; ++i) {
            pings[i].set();
            pongs[i].wait();
        }
    });
    other.join();
}

BOOST_AUTO_TEST_SUITE_END()
