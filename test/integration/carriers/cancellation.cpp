// SPDX-License-Identifier: BSL-1.0
// Cancellation that reaches fibers on other carriers than that of the scope, and that which does
// not.
#include "core/waiter.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>

using coir::deadline;
using coir::fiber;
using coir::fiber_options;
using coir::run;
using coir::run_options;
using coir::task_group;
using namespace std::chrono_literals;

namespace {

run_options carriers(std::size_t count) {
    run_options options;
    options.threads = count;
    return options;
}

fiber_options on(int carrier) { return fiber_options("placed").on(carrier); }

// What a libc-shaped call does: it fails with ETIMEDOUT or ECANCELED, and returns normally.
int blocking_call_of_a_c_library() {
    coir::wait_queue never_notified;
    if (never_notified.park(deadline::after(1h)) == coir::wait_status::cancelled) {
        return coir::detail::cancellation_errno();
    }
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cancellation_across_carriers)

// A group in a shield is cleanup that has to end well, also when the run is told to stop.
BOOST_AUTO_TEST_CASE(a_shield_keeps_the_end_of_the_run_from_tasks_on_every_carrier) {
    std::atomic<int> cleaned_up{0};
    run(carriers(3), [&] {
        std::atomic<int> started{0};
        fiber(on(1), [&] {
            coir::shield([&] {
                task_group cleanup;
                for (int carrier = 0; carrier < 3; ++carrier) {
                    cleanup.spawn(on(carrier), [&] {
                        ++started;
                        coir::this_fiber::sleep_for(5ms);
                        ++cleaned_up;
                    });
                }
                cleanup.join();
            });
        }).detach();
        while (started < 3) {
            coir::this_fiber::yield();
        }
    });
    BOOST_TEST(cleaned_up == 3);
}

BOOST_AUTO_TEST_CASE(a_shield_keeps_a_deadline_around_the_run_from_tasks_on_every_carrier) {
    std::atomic<int> cleaned_up{0};
    const auto body = [&] {
        run(carriers(2), [&] {
            coir::shield([&] {
                task_group cleanup;
                for (int carrier = 0; carrier < 2; ++carrier) {
                    cleanup.spawn(on(carrier), [&] {
                        coir::this_fiber::sleep_for(20ms);
                        ++cleaned_up;
                    });
                }
                cleanup.join();
            });
            coir::this_fiber::check_cancelled();
        });
    };
    BOOST_CHECK_THROW(coir::with_timeout(5ms, body), coir::timed_out);
    BOOST_TEST(cleaned_up == 2);
}

// The body returns normally, since it shields its waiting and the tasks do not throw; the scope
// learns all the same that its deadline has made a call fail.
BOOST_AUTO_TEST_CASE(a_call_of_c_that_times_out_elsewhere_is_no_success_of_the_scope) {
    run(carriers(2), [] {
        std::atomic<int> error{0};
        const auto body = [&] {
            task_group group;
            group.spawn(on(1), [&] { error = blocking_call_of_a_c_library(); });
            coir::shield([&] { group.join(); });
        };
        BOOST_CHECK_THROW(coir::with_timeout(5ms, body), coir::timed_out);
        BOOST_TEST(error == ETIMEDOUT);
    });
}

BOOST_AUTO_TEST_CASE(a_call_of_c_that_times_out_elsewhere_is_no_success_of_the_run) {
    std::atomic<int> error{0};
    const auto body = [&] {
        run(carriers(2), [&] {
            fiber call(on(1), [&] {
                fiber stays(fiber_options().on(fiber_options::this_carrier),
                            [&] { error = blocking_call_of_a_c_library(); });
                coir::shield([&] { stays.join(); });
            });
            coir::shield([&] { call.join(); });
        });
    };
    BOOST_CHECK_THROW(coir::with_timeout(5ms, body), coir::timed_out);
    BOOST_TEST(error == ETIMEDOUT);
}

BOOST_AUTO_TEST_CASE(a_call_of_c_that_is_cancelled_elsewhere_is_told_so) {
    run(carriers(2), [] {
        std::atomic<int> error{0};
        std::atomic<bool> started{false};
        fiber call(on(1), [&] {
            started = true;
            error = blocking_call_of_a_c_library();
        });
        while (!started) {
            coir::this_fiber::yield();
        }
        call.cancel();
        call.join();
        BOOST_TEST(error == ECANCELED);
    });
}

BOOST_AUTO_TEST_SUITE_END()
