// SPDX-License-Identifier: BSL-1.0
// What is done once, by whoever comes first: pthread_once and static locals.
#include "hook/callers.hpp"

#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <pthread.h>
#include <threads.h>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>

extern "C" void _pthread_cleanup_push(_pthread_cleanup_buffer*, void (*)(void*), void*);
extern "C" void _pthread_cleanup_pop(_pthread_cleanup_buffer*, int);

using namespace coir::test;
using namespace std::chrono_literals;
using coir::run;
namespace data = boost::unit_test::data;

namespace {

_pthread_cleanup_buffer* innermost_cleanup() {
    _pthread_cleanup_buffer probe;
    _pthread_cleanup_push(&probe, nullptr, nullptr);
    _pthread_cleanup_pop(&probe, 0);
    return probe.__prev;
}

std::atomic<int> times_done{0};
std::atomic<bool> done{false};

void do_slowly() {
    ++times_done;
    coir::this_fiber::sleep_for(10ms);
    done = true;
}

[[maybe_unused]] void fail_the_first_time() {
    coir::this_fiber::sleep_for(5ms);
    if (++times_done == 1) {
        throw std::runtime_error("the first time");
    }
}

// Whose initialisation takes its time, and fails as often as is asked for.
struct slow {
    explicit slow(std::atomic<int>& failures) {
        coir::this_fiber::sleep_for(10ms);
        if (failures-- > 0) {
            throw std::runtime_error("not yet");
        }
        ++times_done;
        value = 42;
    }
    int value = 0;
};

// A static local of its own for each number.
template <int Number>
int use_static(std::atomic<int>& failures) {
    static const slow local(failures);
    return local.value;
}

using static_user = int (*)(std::atomic<int>&);
constexpr static_user users[] = {use_static<0>, use_static<1>, use_static<2>, use_static<3>};
[[maybe_unused]] constexpr static_user more_users[] = {use_static<4>, use_static<5>, use_static<6>,
                                                       use_static<7>};

}  // namespace

BOOST_AUTO_TEST_SUITE(once)

BOOST_DATA_TEST_CASE(who_comes_second_to_pthread_once_waits_for_the_first, data::make(casts),
                     company) {
    const time_bomb limit;
    times_done = 0;
    done = false;
    pthread_once_t control = PTHREAD_ONCE_INIT;
    const auto part = [&] {
        COIR_MUST(pthread_once(&control, do_slowly) == 0);
        COIR_MUST(done);
        COIR_MUST(pthread_once(&control, do_slowly) == 0);
    };
    company.play(part, part);
    BOOST_TEST(times_done == 1);
}

#ifndef __SANITIZE_THREAD__  // whose pthread_once does not take note of an exception

BOOST_DATA_TEST_CASE(who_waited_tries_himself_if_the_first_has_failed, data::make(casts), company) {
    const time_bomb limit;
    times_done = 0;
    pthread_once_t control = PTHREAD_ONCE_INIT;
    std::atomic<int> failures{0};
    const auto part = [&] {
        try {
            pthread_once(&control, fail_the_first_time);
        } catch (const std::runtime_error&) {
            ++failures;
        }
    };
    company.play(part, part);
    BOOST_TEST(failures == 1);
    BOOST_TEST(times_done == 2);
}

// Its function stands in variables of the thread's while pthread_once waits.
BOOST_AUTO_TEST_CASE(call_once_of_std_calls_the_callers_own_function) {
    const time_bomb limit;
    std::once_flag flag;
    std::string called;
    in_fibers(
        [&] {
            const auto call = [&] {
                std::call_once(flag, [&] {
                    called += "first ";
                    coir::this_fiber::sleep_for(5ms);
                    throw std::runtime_error("the first time");
                });
            };
            BOOST_CHECK_THROW(call(), std::runtime_error);
        },
        [&] { std::call_once(flag, [&] { called += "second"; }); });
    BOOST_TEST(called == "first second");
}

#endif

// libc's pthread_once has a buffer in a list of its thread's while it makes the call. longjmp and
// pthread_exit would call what a fiber had left there.
BOOST_AUTO_TEST_CASE(fibers_that_overtake_each_other_leave_nothing_in_the_threads_list) {
    const time_bomb limit;
    static coir::event first_has_begun;
    static coir::event second_has_begun;
    pthread_once_t first = PTHREAD_ONCE_INIT;
    pthread_once_t second = PTHREAD_ONCE_INIT;
    in_fibers(
        [&] {
            pthread_once(&first, [] {
                first_has_begun.set();
                second_has_begun.wait();
            });
        },
        [&] {
            first_has_begun.wait();
            pthread_once(&second, [] {
                second_has_begun.set();
                coir::this_fiber::sleep_for(5ms);  // the first one ends before
            });
            BOOST_TEST(innermost_cleanup() == nullptr);
        });
    BOOST_TEST(innermost_cleanup() == nullptr);
}

BOOST_DATA_TEST_CASE(call_once_of_c11_is_the_same, data::make(casts), company) {
    const time_bomb limit;
    times_done = 0;
    done = false;
    once_flag flag = ONCE_FLAG_INIT;
    const auto part = [&] {
        ::call_once(&flag, do_slowly);
        COIR_MUST(done);
    };
    company.play(part, part);
    BOOST_TEST(times_done == 1);
}

BOOST_DATA_TEST_CASE(a_static_local_is_initialised_once, data::make(casts) ^ data::make(users),
                     company, use) {
    const time_bomb limit;
    times_done = 0;
    std::atomic<int> failures{0};
    const auto part = [&] {
        COIR_MUST(use(failures) == 42);
    };
    company.play(part, part);
    BOOST_TEST(times_done == 1);
}

#ifndef __SANITIZE_THREAD__  // whose __cxa_guard_abort (GCC 12) wakes no thread

BOOST_DATA_TEST_CASE(a_static_local_whose_initialisation_fails_is_tried_again,
                     data::make(casts) ^ data::make(more_users), company, use) {
    const time_bomb limit;
    times_done = 0;
    std::atomic<int> failures{3};
    const auto part = [&] {
        for (;;) {
            try {
                COIR_MUST(use(failures) == 42);
                return;
            } catch (const std::runtime_error&) {
            }
        }
    };
    company.play(part, part);
    BOOST_TEST(times_done == 1);
}

#endif

// Its initialisation waits for what another fiber does on the thread that waits for the static.
BOOST_AUTO_TEST_CASE(a_static_local_that_a_thread_initialises_does_not_block_the_carrier) {
    const time_bomb limit;
    coir::event begun;
    coir::event told;
    const auto get = [&]() -> int {
        struct waits_for_a_fiber {
            waits_for_a_fiber(coir::event& b, coir::event& t) {
                b.set();
                t.wait();
            }
            int value = 1;
        };
        static const waits_for_a_fiber local(begun, told);
        return local.value;
    };
    run([&] {
        std::thread first([&] { COIR_MUST(get() == 1); });
        begun.wait();
        coir::fiber waiting([&] { BOOST_TEST(get() == 1); });
        coir::fiber teller([&] {
            coir::this_fiber::sleep_for(5ms);
            told.set();
        });
        waiting.join();
        first.join();
    });
}

BOOST_AUTO_TEST_CASE(many_static_locals_are_under_way_at_once) {
    const time_bomb limit;
    // As many as a recursion is deep: each level's static is begun in that of the one above.
    run([] {
        coir::fiber one([] {
            static const int a = [] {
                static const int b = [] {
                    static const int c = [] {
                        coir::this_fiber::sleep_for(1ms);
                        return 1;
                    }();
                    return c + 1;
                }();
                return b + 1;
            }();
            BOOST_TEST(a == 3);
        });
        one.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
