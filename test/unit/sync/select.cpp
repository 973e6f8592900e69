// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/select.hpp>

#include "support/fiber_test.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

using coir::channel;
using coir::fiber;
using coir::on_deadline;
using coir::on_event;
using coir::on_ready;
using coir::on_receive;
using coir::on_send;
using coir::on_timeout;
using coir::otherwise;
using coir::select;
using coir::test::elapsed;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(selects)

FIBER_TEST_CASE(the_case_that_can_happen_is_chosen) {
    channel<int> a(1);
    channel<std::string> b(1);
    b.send("text");
    std::string got;
    const std::size_t chosen =
        select(on_receive(a, [](std::optional<int>) { BOOST_TEST(false); }),
               on_receive(b, [&](std::optional<std::string> s) { got = s.value(); }));
    BOOST_TEST(chosen == 1U);
    BOOST_TEST(got == "text");
    BOOST_TEST(select(on_receive(b), on_send(a, 3)) == 1U);
    BOOST_TEST(*a.receive() == 3);
}

FIBER_TEST_CASE(it_waits_for_the_first_that_happens) {
    channel<int> a(0);
    channel<int> b(0);
    fiber sender([&] {
        coir::this_fiber::sleep_for(3ms);
        b.send(7);
    });
    const int got = select(on_receive(a, [](std::optional<int> v) { return *v; }),
                           on_receive(b, [](std::optional<int> v) { return *v + 100; }));
    BOOST_TEST(got == 107);
    BOOST_TEST((elapsed() == 3ms));
    sender.join();
    BOOST_TEST(!a.try_send(1));  // it does not stand there any more
}

FIBER_TEST_CASE(a_receiver_takes_from_a_select_that_waits_to_send) {
    channel<int> a(0);
    channel<int> b(0);
    int chosen = -1;
    fiber sender([&] { chosen = static_cast<int>(select(on_send(a, 1), on_send(b, 2))); });
    coir::this_fiber::yield();
    BOOST_TEST(*b.receive() == 2);
    BOOST_TEST(!a.try_receive());
    sender.join();
    BOOST_TEST(chosen == 1);
}

FIBER_TEST_CASE(two_selects_meet) {
    channel<int> a(0);
    channel<int> b(0);
    int sum = 0;
    fiber receiver([&] {
        for (int i = 0; i < 100; ++i) {
            select(on_receive(b, [&](std::optional<int> v) { sum += *v; }),
                   on_receive(a, [&](std::optional<int> v) { sum += *v; }));
        }
    });
    for (int i = 0; i < 100; ++i) {
        select(on_send(a, 1), on_send(b, 1));
    }
    receiver.join();
    BOOST_TEST(sum == 100);
}

FIBER_TEST_CASE(a_select_does_not_meet_itself) {
    channel<int> c(0);
    const auto both = [&] {
        return select(on_receive(c), on_send(c, 1), on_timeout(2ms));
    };
    BOOST_TEST(both() == 2U);
    BOOST_TEST((elapsed() == 2ms));
    fiber other([&] { BOOST_TEST(*c.receive() == 1); });
    coir::this_fiber::yield();
    BOOST_TEST(both() == 1U);
    other.join();
    fiber first([&] { BOOST_TEST(both() != 2U); });
    fiber second([&] { BOOST_TEST(both() != 2U); });
    first.join();
    second.join();
}

FIBER_TEST_CASE(a_value_moves_only_if_its_case_is_chosen) {
    channel<std::unique_ptr<int>> full(0);
    channel<std::unique_ptr<int>> open(1);
    auto one = std::make_unique<int>(1);
    auto two = std::make_unique<int>(2);
    BOOST_TEST(select(on_send(full, std::move(one)), on_send(open, std::move(two))) == 1U);
    // NOLINTBEGIN(bugprone-use-after-move): what was not sent was not moved
    BOOST_TEST((one != nullptr));
    BOOST_TEST((two == nullptr));
    BOOST_TEST(select(on_send(full, std::move(one)), on_timeout(1ms)) == 1U);
    BOOST_TEST((one != nullptr));
    // NOLINTEND(bugprone-use-after-move)
}

FIBER_TEST_CASE(a_closed_channel_is_ready) {
    channel<int> c(0, "jobs");
    fiber closer([&] { c.close(); });
    bool ended = false;
    select(on_receive(c, [&](std::optional<int> v) { ended = !v; }), on_timeout(1h));
    BOOST_TEST(ended);
    closer.join();
    BOOST_CHECK_THROW(select(on_send(c, 1), on_timeout(1h)), coir::channel_closed);
    channel<int> other(0);
    fiber second_closer([&] { other.close(); });
    BOOST_CHECK_THROW(select(on_send(other, 1), on_timeout(1h)), coir::channel_closed);
    second_closer.join();
    BOOST_TEST((elapsed() == 0ms));
}

FIBER_TEST_CASE(a_future_is_a_case) {
    channel<int> c(0);
    auto task = coir::async([] {
        coir::this_fiber::sleep_for(2ms);
        return 7;
    });
    const auto wait = [&] {
        return select(on_receive(c, [](std::optional<int>) { return 0; }),
                      on_ready(task, [&] { return task.get(); }));
    };
    BOOST_TEST(wait() == 7);
    BOOST_TEST((elapsed() == 2ms));
    BOOST_CHECK_THROW(wait(), std::future_error);
    const coir::shared_future<int> shared = coir::async([] { return 8; });
    BOOST_TEST(select(on_ready(shared), on_receive(c)) == 0U);
    BOOST_TEST(select(on_ready(shared), on_receive(c)) == 0U);  // now it need not wait
}

FIBER_TEST_CASE(an_event_is_a_case) {
    channel<int> c(0);
    coir::event stop;
    bool stopped = false;
    fiber setter([&] { stop.set(); });
    select(on_receive(c), on_event(stop, [&] { stopped = true; }));
    BOOST_TEST(stopped);
    setter.join();
    BOOST_TEST(select(on_event(stop), on_receive(c)) == 0U);  // it still is set
}

FIBER_TEST_CASE(an_automatic_event_is_reset_only_by_the_select_that_chose_it) {
    coir::event permit(coir::event::reset_mode::automatic);
    channel<int> c(1);
    int permitted = 0;
    coir::task_group group;
    for (int i = 0; i < 2; ++i) {
        group.spawn([&] { permitted += select(on_event(permit), on_receive(c)) == 0 ? 1 : 0; });
    }
    coir::this_fiber::yield();
    permit.set();
    coir::this_fiber::yield();
    BOOST_TEST(permitted == 1);
    c.send(1);
    permit.set();  // whom the value was given to does not take this too
    group.join();
    BOOST_TEST(permitted == 1);
    BOOST_TEST(permit.is_set());
    BOOST_TEST(select(on_receive(c), on_event(permit)) == 1U);
    BOOST_TEST(!permit.is_set());
    BOOST_TEST(select(on_event(permit), on_timeout(1ms)) == 1U);
    permit.set();
    BOOST_TEST(permit.try_wait());  // the select does not stand there any more
}

FIBER_TEST_CASE(who_was_let_pass_may_destroy_the_event) {
    channel<int> stays(0);
    for (int i = 0; i < 100; ++i) {
        auto once = std::make_unique<coir::event>();
        std::thread setter([e = once.get()] { e->set(); });
        select(on_receive(stays), on_event(*once));
        once.reset();
        setter.join();
    }
}

FIBER_TEST_CASE(a_timeout_is_chosen_when_nothing_else_happens_and_the_earliest_of_several) {
    channel<int> c(0);
    BOOST_TEST(select(on_timeout(5ms), on_receive(c), on_timeout(3ms), on_timeout(3ms)) == 2U);
    BOOST_TEST((elapsed() == 3ms));
    BOOST_TEST(select(on_deadline(coir::deadline::after(1ms))) == 0U);
    BOOST_TEST((elapsed() == 4ms));
    channel<int> ready(1);
    ready.send(1);
    BOOST_TEST(select(on_timeout(0ms), on_receive(ready)) == 1U);  // it goes before a timeout
}

FIBER_TEST_CASE(with_otherwise_it_does_not_wait) {
    channel<int> c(1);
    BOOST_TEST(select(on_receive(c), otherwise()) == 1U);
    c.send(1);
    BOOST_TEST(select(otherwise(), on_receive(c)) == 1U);
    BOOST_TEST((elapsed() == 0ms));
}

FIBER_TEST_CASE(polling_with_otherwise_lets_others_run) {
    channel<int> c(0);
    fiber sender([&] { c.send(1); });
    int polls = 0;
    while (select(on_receive(c), otherwise()) == 1U && polls < 10000) {
        ++polls;
    }
    BOOST_TEST(polls < 10000);
    sender.join();
}

FIBER_TEST_CASE(what_the_functions_return_has_a_common_type) {
    channel<int> c(1);
    c.send(1);
    const auto got = select(on_receive(c, [](std::optional<int> v) { return *v; }),
                            on_timeout(1s, [] { return 1.5; }));
    static_assert(std::is_same_v<decltype(got), const double>);
    BOOST_TEST(got == 1.0);
    BOOST_CHECK_THROW(select(on_timeout(1s, []() -> int { throw std::runtime_error("mine"); })),
                      std::runtime_error);
}

FIBER_TEST_CASE(cases_that_can_happen_are_chosen_equally_often) {
    std::array<channel<int>, 3> channels{channel<int>(1), channel<int>(1), channel<int>(1)};
    channel<int> never(0);
    std::array<int, 3> count{};
    constexpr int rounds = 3000;
    for (channel<int>& c : channels) {
        c.send(0);
    }
    for (int i = 0; i < rounds; ++i) {
        // One that cannot happen must not favour its neighbour.
        const std::size_t chosen = select(on_receive(channels[0]), on_receive(never),
                                          on_receive(channels[1]), on_receive(channels[2]));
        const std::size_t which = chosen == 0 ? 0 : chosen - 1;
        ++count[which];
        channels[which].send(0);
    }
    for (const int n : count) {
        BOOST_TEST(n > rounds / 3 - rounds / 20);
    }
}

FIBER_TEST_CASE(a_cancelled_select_takes_nothing) {
    channel<int> a(0);
    channel<int> b(0);
    bool cancelled = false;
    fiber waiting([&] {
        try {
            select(on_receive(a), on_send(b, 1));
        } catch (const coir::operation_cancelled&) {
            cancelled = true;
            throw;
        }
    });
    coir::this_fiber::yield();
    waiting.cancel();
    BOOST_TEST(!a.try_send(1));
    BOOST_TEST(!b.try_receive());
    waiting.join();
    BOOST_TEST(cancelled);
}

FIBER_TEST_CASE(it_is_a_cancellation_point_even_if_it_need_not_wait) {
    channel<int> c(1);
    c.send(1);
    coir::cancel_scope scope;
    BOOST_TEST(!scope.run([&] {
        scope.cancel();
        select(on_receive(c), otherwise());
    }));
    BOOST_TEST(c.size() == 1U);
}

FIBER_TEST_CASE(an_unbounded_channel_always_takes_a_value) {
    channel<int> growing(coir::unbounded);
    channel<int> never(0);
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST(select(on_receive(never), on_send(growing, i)) == 1U);
    }
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST(*growing.receive() == i);
    }
}

FIBER_TEST_CASE(a_chosen_function_may_use_the_channels) {
    channel<int> c(1);
    c.send(1);
    select(on_receive(c, [&](std::optional<int> v) { c.send(*v + 1); }));
    BOOST_TEST(*c.receive() == 2);
}

FIBER_TEST_CASE(who_was_given_its_value_may_destroy_that_channel) {
    channel<int> stays(0);
    auto reply = std::make_unique<channel<int>>(0);
    fiber waiting(
        [&, c = reply.get()] { BOOST_TEST(select(on_receive(stays), on_receive(*c)) == 1U); });
    coir::this_fiber::yield();
    reply->send(1);
    reply.reset();
    waiting.join();
}

BOOST_AUTO_TEST_SUITE_END()
