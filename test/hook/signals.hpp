// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "integration/posix/law.hpp"

#include <pthread.h>
#include <signal.h>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace coir::test {

inline struct sigaction action_of(void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    return action;
}

// Gives a signal another handler for a while.
class with_handler {
public:
    with_handler(int number, void (*handler)(int), int flags = 0)
        : with_handler(number, action_of(handler, flags)) {}
    with_handler(int number, const struct sigaction& action) : number_(number) {
        must(::sigaction(number, &action, &before_) == 0);
    }
    with_handler(const with_handler&) = delete;
    with_handler& operator=(const with_handler&) = delete;
    ~with_handler() { ::sigaction(number_, &before_, nullptr); }

private:
    const int number_;
    struct sigaction before_ {};
};

// Blocks a signal for the calling thread, and those that it starts.
class with_blocked {
public:
    explicit with_blocked(int number) {
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, number);
        ::pthread_sigmask(SIG_BLOCK, &set, &before_);
    }
    with_blocked(const with_blocked&) = delete;
    with_blocked& operator=(const with_blocked&) = delete;
    ~with_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    const sigset_t& before() const { return before_; }

private:
    sigset_t before_;
};

inline sigset_t set_of(int number) {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, number);
    return set;
}

inline std::atomic<int> handled{0};
inline void count_handled(int) { handled.fetch_add(1); }

// Sends a signal to a thread again and again, so that one is sure to meet the call in its wait; or
// until, after a while, it does what ends the call, if that has not ended by then. A while is a
// number of signals, as on a busy machine neither side is sure to run within any time.
class pesterer {
public:
    pesterer(pthread_t whom, int number, std::function<void()> in_the_end = {})
        : thread_([this, whom, number, in_the_end = std::move(in_the_end)] {
              for (int left = 33; !stopped_ && (!in_the_end || left > 0); --left) {
                  std::this_thread::sleep_for(milliseconds(3));
                  ::pthread_kill(whom, number);
              }
              if (!stopped_) {
                  in_the_end();
              }
          }) {}
    pesterer(const pesterer&) = delete;
    pesterer& operator=(const pesterer&) = delete;
    ~pesterer() {
        stopped_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> stopped_{false};
    std::thread thread_;
};

}  // namespace coir::test
