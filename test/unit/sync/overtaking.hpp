// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/fiber_test.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

namespace coir::test {

inline void await(const std::atomic<bool>& flag) {
    while (!flag) {
        std::this_thread::yield();
    }
}

// Virtual time moves only when nobody can run, not even one that the inbox has woken.
inline void run_what_is_ready() { this_fiber::sleep_for(std::chrono::nanoseconds(1)); }

// Another carrier, on which one fiber calls `wait_for_lock`, and is in line when this is made.
// From then on the carrier stands still, so that the fiber comes when the test wants it to.
class carrier_in_line {
public:
    template <class Function>
    explicit carrier_in_line(Function wait_for_lock)
        : thread_([this, wait_for_lock] {
              run_in_fiber_world([&] {
                  fiber waiting(wait_for_lock);
                  run_what_is_ready();
                  in_line_ = true;
                  await(may_look_);
                  // The call is in the inbox. The fiber answers it before this one goes on.
                  run_what_is_ready();
                  run_what_is_ready();
                  has_looked_ = true;
                  await(may_go_on_);
                  waiting.join();
              });
          }) {
        await(in_line_);
    }

    // Lets the fiber find out whether it can have what it was called for, and no more.
    void look() {
        may_look_ = true;
        await(has_looked_);
    }

    void go_on() {
        may_look_ = true;
        may_go_on_ = true;
    }

    void join() {
        go_on();
        thread_.join();
    }

private:
    std::atomic<bool> in_line_{false};
    std::atomic<bool> may_look_{false};
    std::atomic<bool> has_looked_{false};
    std::atomic<bool> may_go_on_{false};
    std::thread thread_;
};

// What is locked, and who did it in which order.
template <class Mutex>
struct diary {
    void enter(char who) {
        const std::lock_guard lock(mutex);
        entries += who;
    }

    Mutex mutex;
    std::string entries;
};

}  // namespace coir::test
