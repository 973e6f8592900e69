// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/carrier.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <ostream>
#include <thread>

// Who meets at an object of libc's: the same script is played by different casts.
namespace coir::test {

// Ends the program, which fails by that, if a test hangs: a thread that is blocked in a lock can do
// nothing else any more.
class time_bomb {
public:
    time_bomb() : thread_([this] { tick(); }) {}
    time_bomb(const time_bomb&) = delete;
    time_bomb& operator=(const time_bomb&) = delete;
    ~time_bomb() {
        {
            const std::lock_guard guard(mutex_);
            defused_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

private:
    void tick() {
        std::unique_lock guard(mutex_);
        const auto until = std::chrono::system_clock::now() + std::chrono::seconds(60);
        if (!changed_.wait_until(guard, until, [this] { return defused_; })) {
            std::fputs("a test hangs: a fiber blocks its thread, or is never woken\n", stderr);
            std::_Exit(3);
        }
    }

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool defused_ = false;
    std::thread thread_;
};

using part = std::function<void()>;

inline void in_fibers(const part& a, const part& b) {
    run([&] {
        fiber first(a);
        fiber second(b);
        first.join();
        second.join();
    });
}

inline void on_two_carriers(const part& a, const part& b) {
    run_options options;
    options.threads = 2;
    run(options, [&] {
        fiber first = spawn_on(0, a);
        fiber second = spawn_on(1, b);
        first.join();
        second.join();
    });
}

inline void as_fiber_and_thread(const part& a, const part& b) {
    run([&] {
        std::thread second(b);
        fiber first(a);
        first.join();
        second.join();
    });
}

inline void as_thread_and_fiber(const part& a, const part& b) { as_fiber_and_thread(b, a); }

struct cast {
    const char* name;
    void (*play)(const part& a, const part& b);
    friend std::ostream& operator<<(std::ostream& out, const cast& c) { return out << c.name; }
};

inline const std::array<cast, 4> casts{{{"two fibers of a thread", in_fibers},
                                        {"fibers of two threads", on_two_carriers},
                                        {"a fiber and a thread", as_fiber_and_thread},
                                        {"a thread and a fiber", as_thread_and_fiber}}};

// In parts that threads may play, where the checks of Boost.Test may not be made.
inline void must(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "not true: %s\n", what);
        std::abort();
    }
}

}  // namespace coir::test

#define COIR_MUST(condition) ::coir::test::must(condition, #condition)
