// SPDX-License-Identifier: BSL-1.0
// The end of a thread, and barriers: what only libc can wait for.
#include "hook/callers.hpp"
#include "hook/pthread_objects.hpp"

#include <coir/cancellation.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <pthread.h>
#include <threads.h>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::run;

namespace {

// A thread that ends when a fiber says so.
class told_thread {
public:
    told_thread() {
        pthread_create(
            &thread_, nullptr,
            [](void* self) -> void* {
                static_cast<told_thread*>(self)->told_.wait();
                return reinterpret_cast<void*>(std::intptr_t{7});
            },
            this);
    }
    told_thread(const told_thread&) = delete;
    told_thread& operator=(const told_thread&) = delete;
    ~told_thread() = default;

    pthread_t get() const noexcept { return thread_; }
    void tell() noexcept { told_.set(); }

private:
    pthread_t thread_{};
    coir::event told_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(joining)

BOOST_AUTO_TEST_CASE(a_join_waits_while_other_fibers_run) {
    const time_bomb limit;
    told_thread one;
    run([&] {
        coir::fiber joining([&] {
            void* result = nullptr;
            BOOST_TEST(pthread_join(one.get(), &result) == 0);
            BOOST_TEST(reinterpret_cast<std::intptr_t>(result) == 7);
        });
        coir::fiber telling([&] {
            coir::this_fiber::sleep_for(5ms);
            one.tell();
        });
        joining.join();
        telling.join();
    });
}

// More of them than the blocking pool of a run has threads.
BOOST_AUTO_TEST_CASE(many_joins_wait_at_once) {
    const time_bomb limit;
    constexpr int count = 100;
    std::vector<std::unique_ptr<told_thread>> threads;
    for (int i = 0; i < count; ++i) {
        threads.push_back(std::make_unique<told_thread>());
    }
    int joined = 0;
    run([&] {
        std::vector<coir::fiber> fibers;
        for (auto& one : threads) {
            fibers.emplace_back([&] {
                BOOST_TEST(pthread_join(one->get(), nullptr) == 0);
                ++joined;
            });
        }
        coir::this_fiber::sleep_for(5ms);
        for (auto& one : threads) {
            one->tell();
        }
        for (coir::fiber& one : fibers) {
            one.join();
        }
    });
    BOOST_TEST(joined == count);
}

BOOST_AUTO_TEST_CASE(a_thread_does_not_join_itself) {
    const time_bomb limit;
    run([] { BOOST_TEST(pthread_join(pthread_self(), nullptr) == EDEADLK); });
}

// Who joins frees what the thread has used.
BOOST_AUTO_TEST_CASE(a_cancelled_join_is_a_join_all_the_same) {
    const time_bomb limit;
    told_thread one;
    bool told = false;
    run([&] {
        coir::fiber joining([&] {
            coir::cancel_scope scope;
            scope.run([&] {
                scope.cancel();
                BOOST_TEST(pthread_join(one.get(), nullptr) == 0);
                BOOST_TEST(told);
            });
        });
        coir::this_fiber::sleep_for(5ms);
        told = true;
        one.tell();
        joining.join();
    });
}

BOOST_AUTO_TEST_CASE(a_join_with_a_deadline_ends_in_time_and_can_be_made_again) {
    const time_bomb limit;
    told_thread one;
    run([&] {
        timespec until = after(CLOCK_REALTIME, 5ms);
        BOOST_TEST(pthread_timedjoin_np(one.get(), nullptr, &until) == ETIMEDOUT);
        until = after(CLOCK_MONOTONIC, 5ms);
        BOOST_TEST(pthread_clockjoin_np(one.get(), nullptr, CLOCK_MONOTONIC, &until) == ETIMEDOUT);
        const auto join_for_long = [&] {
            coir::with_timeout(5ms, [&] {
                until = after(CLOCK_REALTIME, 50s);
                BOOST_TEST(pthread_timedjoin_np(one.get(), nullptr, &until) == ETIMEDOUT);
            });
        };
        BOOST_CHECK_THROW(join_for_long(), coir::timed_out);
        coir::fiber telling([&] { one.tell(); });
        until = after(CLOCK_REALTIME, 50s);
        BOOST_TEST(pthread_timedjoin_np(one.get(), nullptr, &until) == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_join_of_c11_is_the_same) {
    const time_bomb limit;
    told_thread one;
    run([&] {
        coir::fiber telling([&] { one.tell(); });
        int result = 0;
        BOOST_TEST(thrd_join(one.get(), &result) == thrd_success);
        BOOST_TEST(result == 7);
    });
}

BOOST_AUTO_TEST_CASE(a_thread_of_std_is_the_same) {
    const time_bomb limit;
    coir::event told;
    run([&] {
        std::thread one([&] { told.wait(); });
        coir::fiber telling([&] { told.set(); });
        one.join();
        BOOST_TEST(told.is_set());
    });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(barriers)

BOOST_AUTO_TEST_CASE(fibers_and_threads_meet) {
    const time_bomb limit;
    constexpr unsigned fibers_each = 4;
    constexpr int rounds = 5;
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, nullptr, 2 * fibers_each + 1);
    std::atomic<int> arrived{0};
    std::atomic<int> serial{0};
    const auto part = [&] {
        for (int i = 1; i <= rounds; ++i) {
            ++arrived;
            const int result = pthread_barrier_wait(&barrier);
            COIR_MUST(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
            serial += result != 0 ? 1 : 0;
            COIR_MUST(arrived >= i * static_cast<int>(2 * fibers_each + 1));
            pthread_barrier_wait(&barrier);
        }
    };
    coir::run_options options;
    options.threads = 2;
    run(options, [&] {
        std::vector<coir::fiber> fibers;
        for (unsigned i = 0; i < 2 * fibers_each; ++i) {
            fibers.push_back(coir::spawn_on(static_cast<int>(i % 2), part));
        }
        std::thread thread(part);
        for (coir::fiber& one : fibers) {
            one.join();
        }
        thread.join();
    });
    BOOST_TEST(serial == rounds);
    pthread_barrier_destroy(&barrier);
}

BOOST_AUTO_TEST_CASE(a_cancelled_one_is_counted_all_the_same) {
    const time_bomb limit;
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, nullptr, 2);
    in_fibers(
        [&] {
            coir::cancel_scope scope;
            scope.run([&] {
                scope.cancel();
                pthread_barrier_wait(&barrier);
            });
        },
        [&] { pthread_barrier_wait(&barrier); });
    BOOST_TEST(pthread_barrier_destroy(&barrier) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
