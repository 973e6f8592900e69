// SPDX-License-Identifier: BSL-1.0
#include <coir/task_group.hpp>

#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

using coir::task_group;
using coir::test::captured_log;
using coir::test::elapsed;
using namespace std::chrono_literals;
using coir::this_fiber::sleep_for;
using coir::this_fiber::yield;

namespace {

struct counts_its_end {
    ~counts_its_end() { ++count; }
    int& count;
};

auto says(const char* text) {
    return [text](const std::exception& e) {
        return e.what() == std::string(text);
    };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task_groups)

FIBER_TEST_CASE(join_waits_for_every_task) {
    task_group group;
    int ended = 0;
    for (int i = 1; i <= 3; ++i) {
        group.spawn([&, i] {
            sleep_for(std::chrono::milliseconds(i));
            ++ended;
        });
    }
    BOOST_TEST(group.size() == 3U);
    group.join();
    BOOST_TEST(ended == 3);
    BOOST_TEST(group.size() == 0U);
    BOOST_TEST((elapsed() == 3ms));
}

FIBER_TEST_CASE(join_of_an_empty_group_returns_at_once) {
    task_group group;
    group.join();
    group.join();
}

FIBER_TEST_CASE(spawn_gives_futures_and_takes_arguments_and_options) {
    task_group group;
    auto sum = group.spawn([](int a, int b) { return a + b; }, 3, 4);
    auto name = group.spawn({"named"}, [] { return coir::this_fiber::name(); });
    auto pointer = group.spawn([] { return std::make_unique<int>(3); });
    group.join();
    BOOST_TEST(sum.get() == 7);
    BOOST_TEST(name.get() == "named");
    BOOST_TEST(*pointer.get() == 3);
}

FIBER_TEST_CASE(join_waits_for_tasks_that_are_spawned_meanwhile) {
    task_group group;
    bool second_ended = false;
    group.spawn([&] {
        sleep_for(1ms);
        group.spawn([&] {
            sleep_for(1ms);
            second_ended = true;
        });
    });
    group.join();
    BOOST_TEST(second_ended);
}

FIBER_TEST_CASE(the_first_failure_cancels_the_siblings_and_is_rethrown_when_all_have_stopped) {
    const captured_log log;
    int ended = 0;
    bool slept = false;
    task_group group;
    group.spawn([&] {
        const counts_its_end guard{ended};
        sleep_for(1h);
        slept = true;
    });
    group.spawn([&] {
        const counts_its_end guard{ended};
        try {
            sleep_for(1h);
        } catch (const coir::operation_cancelled&) {
            coir::shield([] { sleep_for(2ms); });
            throw;
        }
    });
    group.spawn([&] {
        sleep_for(1ms);
        throw std::runtime_error("first");
    });
    BOOST_CHECK_EXCEPTION(group.join(), std::runtime_error, [&](const std::runtime_error& e) {
        return ended == 2 && !slept && e.what() == std::string("first");
    });
    BOOST_TEST((elapsed() == 3ms));
    BOOST_TEST(log.messages() == 0U);
}

FIBER_TEST_CASE(later_failures_are_logged) {
    const captured_log log;
    task_group group;
    group.spawn([] { throw std::runtime_error("first"); });
    group.spawn({"second"}, [] { throw std::runtime_error("later"); });
    BOOST_CHECK_EXCEPTION(group.join(), std::runtime_error, says("first"));
    BOOST_TEST(log.messages() == 1U);
    BOOST_TEST(log.has("'second'"));
    BOOST_TEST(log.has("later"));
}

FIBER_TEST_CASE(the_owner_is_not_interrupted_by_a_failure) {
    task_group group;
    group.spawn([] { throw std::runtime_error("early"); });
    sleep_for(1ms);
    yield();
    BOOST_CHECK_EXCEPTION(group.join(), std::runtime_error, says("early"));
}

FIBER_TEST_CASE(a_failure_is_seen_by_the_future_too_and_is_not_logged_twice) {
    const captured_log log;
    task_group group;
    auto failing = group.spawn([]() -> int { throw std::runtime_error("both"); });
    auto sibling = group.spawn([] { sleep_for(1h); });
    BOOST_CHECK_THROW(failing.get(), std::runtime_error);
    BOOST_CHECK_THROW(sibling.get(), coir::task_cancelled);
    BOOST_CHECK_THROW(group.join(), std::runtime_error);
    BOOST_TEST(log.messages() == 0U);
}

FIBER_TEST_CASE(a_cancelled_task_is_no_failure) {
    task_group group;
    auto cancelled = group.spawn([] { sleep_for(1h); });
    bool other_ended = false;
    group.spawn([&] {
        sleep_for(2ms);
        other_ended = true;
    });
    yield();
    cancelled.cancel();
    group.join();
    BOOST_TEST(other_ended);
    BOOST_CHECK_THROW(cancelled.get(), coir::task_cancelled);
}

FIBER_TEST_CASE(cancel_cancels_all_tasks_and_join_returns_normally) {
    int ended = 0;
    task_group group;
    for (int i = 0; i < 3; ++i) {
        group.spawn([&] {
            const counts_its_end guard{ended};
            sleep_for(1h);
        });
    }
    yield();
    group.cancel();
    group.join();
    BOOST_TEST(ended == 3);
    BOOST_TEST((elapsed() == 0ms));
    bool waited = false;
    group.spawn([&] {
        yield();
        waited = true;
    });
    group.join();
    BOOST_TEST(!waited);
}

FIBER_TEST_CASE(the_destructor_cancels_and_awaits) {
    int ended = 0;
    {
        task_group group;
        group.spawn([&] {
            const counts_its_end guard{ended};
            try {
                sleep_for(1h);
            } catch (const coir::operation_cancelled&) {
                coir::shield([] { sleep_for(1ms); });
                throw;
            }
        });
        yield();
    }
    BOOST_TEST(ended == 1);
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(the_destructor_awaits_on_the_way_out_of_an_exception) {
    int ended = 0;
    BOOST_CHECK_EXCEPTION(
        {
            task_group group;
            group.spawn([&] {
                const counts_its_end guard{ended};
                sleep_for(1h);
            });
            yield();
            throw std::runtime_error("of the owner");
        },
        std::runtime_error, says("of the owner"));
    BOOST_TEST(ended == 1);
}

FIBER_TEST_CASE(a_failure_that_no_join_has_reported_is_logged_by_the_destructor) {
    const captured_log log;
    {
        task_group group;
        group.spawn([] { throw std::runtime_error("unheard"); });
        yield();
    }
    BOOST_TEST(log.messages() == 1U);
    BOOST_TEST(log.has("unheard"));
}

FIBER_TEST_CASE(a_cancellation_of_the_owner_reaches_the_tasks_and_join_awaits_them) {
    int ended = 0;
    bool joined = false;
    coir::fiber owner([&] {
        task_group group;
        group.spawn([&] {
            const counts_its_end guard{ended};
            try {
                sleep_for(1h);
            } catch (const coir::operation_cancelled&) {
                coir::shield([] { sleep_for(1ms); });
                throw;
            }
        });
        try {
            group.join();
        } catch (const coir::operation_cancelled&) {
            joined = ended == 1;
            throw;
        }
    });
    yield();
    owner.cancel();
    owner.join();
    BOOST_TEST(joined);
}

FIBER_TEST_CASE(a_deadline_around_a_group_ends_its_tasks) {
    int ended = 0;
    BOOST_CHECK_THROW(coir::with_timeout(3ms,
                                         [&] {
                                             task_group group;
                                             group.spawn([&] {
                                                 const counts_its_end guard{ended};
                                                 sleep_for(1h);
                                             });
                                             group.join();
                                         }),
                      coir::timed_out);
    BOOST_TEST(ended == 1);
    BOOST_TEST((elapsed() == 3ms));
}

FIBER_TEST_CASE(a_shield_around_the_join_does_not_shield_the_tasks_of_a_group_made_outside) {
    bool task_cancelled = false;
    coir::cancel_scope scope;
    scope.run([&] {
        task_group group;
        group.spawn([&] {
            try {
                sleep_for(1h);
            } catch (const coir::operation_cancelled&) {
                task_cancelled = true;
                throw;
            }
        });
        yield();
        scope.cancel();
        coir::shield([&] { group.join(); });
    });
    BOOST_TEST(task_cancelled);
}

FIBER_TEST_CASE(join_is_a_cancellation_point_without_tasks_too) {
    coir::cancel_scope scope;
    scope.cancel();
    BOOST_TEST(!scope.run([] {
        task_group group;
        group.join();
    }));
}

FIBER_TEST_CASE(groups_nest) {
    const captured_log log;
    int ended = 0;
    task_group outer;
    outer.spawn([&] {
        task_group inner;
        inner.spawn([&] {
            const counts_its_end guard{ended};
            sleep_for(1h);
        });
        inner.join();
    });
    outer.spawn([] {
        sleep_for(1ms);
        throw std::runtime_error("outer");
    });
    BOOST_CHECK_EXCEPTION(outer.join(), std::runtime_error, says("outer"));
    BOOST_TEST(ended == 1);
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(a_group_may_outlive_the_scope_and_the_fiber_it_was_made_in) {
    std::unique_ptr<task_group> group;
    int ended = 0;
    coir::fiber maker([&] {
        coir::cancel_scope scope;
        scope.run([&] {
            group = std::make_unique<task_group>();
            group->spawn([&] {
                sleep_for(2ms);
                ++ended;
            });
        });
    });
    maker.join();
    group->join();
    BOOST_TEST(ended == 1);
}

FIBER_TEST_CASE(a_group_can_be_used_again_after_join) {
    task_group group;
    int ended = 0;
    for (int i = 0; i < 3; ++i) {
        group.spawn([&] {
            sleep_for(1ms);
            ++ended;
        });
        group.join();
    }
    BOOST_TEST(ended == 3);
}

BOOST_AUTO_TEST_CASE(spawn_outside_run_is_refused) {
    task_group group;
    BOOST_CHECK_EXCEPTION(group.spawn([] {}), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::operation_not_permitted;
    });
    group.join();
}

BOOST_AUTO_TEST_SUITE_END()
