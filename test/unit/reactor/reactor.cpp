// SPDX-License-Identifier: BSL-1.0
// The reactor over a scripted poller: who is woken by what.
#include "reactor/reactor.hpp"

#include "unit/reactor/scripted_poller.hpp"
#include "unit/reactor/waits.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <deque>
#include <string>
#include <vector>

using coir::cancellable;
using coir::deadline;
using coir::fiber;
using coir::wait_status;
using coir::detail::descriptor_kind;
using coir::detail::direction;
using coir::detail::io_interest;
using coir::detail::io_result;
using coir::test::hung_up;
using coir::test::readable;
using coir::test::scripted_world;
using coir::test::wait_for;
using coir::test::wait_readable;
using coir::test::wait_writable;
using coir::test::writable;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(reactor_wakes)

BOOST_AUTO_TEST_CASE(an_event_wakes_the_waiter_of_its_direction_only) {
    scripted_world world;
    world.run([&] {
        std::string trace;
        fiber reader([&] { trace += wait_readable(5).ready() ? 'r' : '?'; });
        fiber writer([&] { trace += wait_writable(5).ready() ? 'w' : '?'; });
        coir::this_fiber::yield();
        world.script.batches.push_back({writable(5)});
        writer.join();
        BOOST_TEST(trace == "w");
        world.script.batches.push_back({readable(5)});
        reader.join();
        BOOST_TEST(trace == "wr");
    });
}

BOOST_AUTO_TEST_CASE(an_event_wakes_every_waiter_of_its_direction) {
    scripted_world world;
    world.run([&] {
        int woken = 0;
        std::deque<fiber> readers;
        for (int i = 0; i < 5; ++i) {
            readers.emplace_back([&] { woken += wait_readable(5).ready() ? 1 : 0; });
        }
        coir::this_fiber::yield();
        BOOST_TEST(world.events.waits() == 5U);
        world.script.batches.push_back({readable(5)});
        readers.front().join();
        BOOST_TEST(woken == 5);
        for (std::size_t i = 1; i < readers.size(); ++i) {
            readers[i].join();
        }
        BOOST_TEST(world.events.waits() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(an_event_of_another_descriptor_wakes_nobody) {
    scripted_world world;
    world.run([&] {
        world.script.batches.push_back({readable(6), readable(700), readable(4)});
        const io_result result = wait_readable(5, deadline::after(1ms));
        BOOST_TEST((result.status == wait_status::timed_out));
    });
}

BOOST_AUTO_TEST_CASE(an_event_of_an_earlier_descriptor_of_the_number_wakes_nobody) {
    scripted_world world;
    world.run([&] {
        world.events.forget(5);  // nobody has waited: there is nothing to forget
        world.script.batches.push_back({readable(5, 1)});
        BOOST_TEST(wait_readable(5).ready());
        world.events.forget(5);
        world.script.batches.push_back({readable(5, 1), hung_up(5, 1)});
        BOOST_TEST((wait_readable(5, deadline::after(1ms)).status == wait_status::timed_out));
        world.script.batches.push_back({readable(5, 2)});
        BOOST_TEST(wait_readable(5).ready());
    });
}

BOOST_AUTO_TEST_CASE(a_hang_up_wakes_both_directions) {
    scripted_world world;
    world.run([&] {
        int woken = 0;
        fiber reader([&] { woken += wait_readable(5).ready() ? 1 : 0; });
        fiber writer([&] { woken += wait_writable(5).ready() ? 1 : 0; });
        coir::this_fiber::yield();
        world.script.batches.push_back({hung_up(5)});
        reader.join();
        writer.join();
        BOOST_TEST(woken == 2);
    });
}

BOOST_AUTO_TEST_CASE(the_end_of_input_wakes_readers_only) {
    scripted_world world;
    world.run([&] {
        bool write_ended = false;
        fiber writer([&] {
            wait_writable(5, deadline::after(1ms));
            write_ended = true;
        });
        world.script.batches.push_back({{{5, 1}, false, false, true, false, false}});
        BOOST_TEST(wait_readable(5).ready());
        BOOST_TEST(!write_ended);
        writer.join();
    });
}

BOOST_AUTO_TEST_CASE(forgetting_a_descriptor_ends_its_waits_with_ebadf) {
    scripted_world world;
    world.run([&] {
        std::vector<int> errors;
        fiber reader([&] { errors.push_back(wait_readable(5).error); });
        fiber writer([&] { errors.push_back(wait_writable(5).error); });
        fiber foreign([&] {
            errors.push_back(wait_for(6, direction::read, descriptor_kind::foreign).error);
        });
        coir::this_fiber::yield();
        world.events.forget(5);
        world.events.forget(6);
        reader.join();
        writer.join();
        foreign.join();
        BOOST_TEST(errors == (std::vector<int>{EBADF, EBADF, EBADF}),
                   boost::test_tools::per_element());
    });
}

// The number is given out again, and waited for, before the fiber that was woken by the close runs.
BOOST_AUTO_TEST_CASE(who_was_woken_by_a_close_does_not_disturb_the_next_descriptor_of_the_number) {
    scripted_world world(false);
    world.run([&] {
        int error = 0;
        fiber old_waiter(
            [&] { error = wait_for(5, direction::read, descriptor_kind::foreign).error; });
        coir::this_fiber::yield();
        bool new_woken = false;
        fiber new_waiter(
            [&] { new_woken = wait_for(5, direction::read, descriptor_kind::foreign).ready(); });
        world.events.forget(5);
        coir::this_fiber::yield();
        world.calls();
        old_waiter.join();
        BOOST_TEST(error == EBADF);
        BOOST_TEST(world.calls() == "");
        world.script.batches.push_back({readable(5, 2)});
        new_waiter.join();
        BOOST_TEST(new_woken);
    });
}

BOOST_AUTO_TEST_CASE(an_event_that_says_invalid_ends_waits_with_ebadf) {
    scripted_world world(false);
    world.run([&] {
        world.script.batches.push_back({{{5, 1}, false, false, false, false, true}});
        const io_result result = wait_for(5, direction::read, descriptor_kind::foreign);
        BOOST_TEST(!result.ready());
        BOOST_TEST(result.error == EBADF);
    });
}

BOOST_AUTO_TEST_CASE(a_negative_descriptor_is_ebadf_at_once) {
    scripted_world world;
    world.run([&] {
        BOOST_TEST(wait_readable(-1).error == EBADF);
        BOOST_TEST(world.events.waits() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_wait_ends_at_its_deadline) {
    scripted_world world;
    world.run([&] {
        const io_result result = wait_readable(5, deadline::after(7ms));
        BOOST_TEST((result.status == wait_status::timed_out));
        BOOST_TEST(!result.ready());
        BOOST_TEST((world.time.now() - coir::detail::virtual_clock::start == 7ms));
    });
}

BOOST_AUTO_TEST_CASE(a_wait_ends_when_its_fiber_is_cancelled) {
    scripted_world world;
    world.run([&] {
        io_result result{};
        fiber reader([&] { result = wait_readable(5); });
        coir::this_fiber::yield();
        reader.cancel();
        reader.join();
        BOOST_TEST((result.status == wait_status::cancelled));
        BOOST_TEST(world.events.waits() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(one_wait_for_several_things_ends_with_the_first) {
    scripted_world world;
    world.run([&] {
        std::vector<io_interest> interests;
        for (int i = 0; i < 20; ++i) {
            interests.push_back({i, direction::read, descriptor_kind::owned});
        }
        world.script.batches.push_back({readable(13), readable(3)});
        const io_result result = world.events.wait_any(interests.data(), interests.size(),
                                                       deadline::never(), cancellable::yes);
        BOOST_TEST(result.ready());
        // It stands in no list any more.
        world.script.batches.push_back({readable(13), readable(7)});
        BOOST_TEST((wait_readable(99, deadline::after(1ms)).status == wait_status::timed_out));
    });
}

BOOST_AUTO_TEST_CASE(a_wait_for_nothing_is_a_sleep) {
    scripted_world world;
    world.run([&] {
        const io_result result =
            world.events.wait_any(nullptr, 0, deadline::after(2ms), cancellable::yes);
        BOOST_TEST((result.status == wait_status::timed_out));
    });
}

BOOST_AUTO_TEST_CASE(an_error_of_the_poller_ends_the_wait_at_once) {
    scripted_world world;
    world.run([&] {
        for (const int error : {ENOMEM, ENOSPC, EBADF}) {
            world.script.errors.push_back(error);
            const io_result result = wait_readable(5);
            BOOST_TEST(result.error == error);
            BOOST_TEST(!result.ready());
        }
        world.script.batches.push_back({readable(5)});
        BOOST_TEST(wait_readable(5).ready());
    });
}

BOOST_AUTO_TEST_CASE(what_knows_no_readiness_is_ready) {
    scripted_world world;
    world.run([&] {
        for (const auto kind : {descriptor_kind::owned, descriptor_kind::foreign}) {
            world.script.errors.push_back(EPERM);
            BOOST_TEST(wait_for(5, direction::read, kind).ready());
        }
    });
}

BOOST_AUTO_TEST_CASE(an_error_of_one_of_several_leaves_no_interest_behind) {
    scripted_world world(false);
    world.run([&] {
        const io_interest interests[] = {{5, direction::read, descriptor_kind::foreign},
                                         {6, direction::read, descriptor_kind::foreign}};
        world.script.errors = {0, ENOSPC};
        BOOST_TEST(world.events.wait_any(interests, 2, deadline::never(), cancellable::yes).error ==
                   ENOSPC);
        BOOST_TEST(world.calls() == "one_shot 5 r\none_shot 6 r\none_shot 5 \n");
    });
}

BOOST_AUTO_TEST_CASE(more_events_than_fit_are_taken_in_turns) {
    scripted_world world;
    world.run([&] {
        constexpr int many = 600;
        int woken = 0;
        std::deque<fiber> readers;
        for (int i = 0; i < many; ++i) {
            readers.emplace_back([&, i] { woken += wait_readable(i).ready() ? 1 : 0; });
        }
        coir::this_fiber::yield();
        for (int first = 0; first < many; first += 256) {
            std::vector<coir::detail::poller_event> batch;
            for (int i = first; i < many && i < first + 256; ++i) {
                batch.push_back(readable(i));
            }
            world.script.batches.push_back(batch);
        }
        for (fiber& f : readers) {
            f.join();
        }
        BOOST_TEST(woken == many);
    });
}

BOOST_AUTO_TEST_CASE(the_poller_is_not_asked_while_nobody_waits) {
    scripted_world world;
    world.run([&] {
        for (int i = 0; i < 1000; ++i) {
            coir::this_fiber::yield();
        }
        BOOST_TEST(world.script.waits == 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()
