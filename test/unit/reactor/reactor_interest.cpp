// SPDX-License-Identifier: BSL-1.0
// The reactor over a scripted poller: what the kernel is told, and what the readiness bits
// remember.
#include "reactor/reactor.hpp"

#include "reactor/readiness_bit.hpp"
#include "reactor/wait_io.hpp"
#include "unit/reactor/scripted_poller.hpp"
#include "unit/reactor/waits.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

using coir::deadline;
using coir::fiber;
using coir::detail::descriptor_kind;
using coir::detail::direction;
using coir::detail::io_result;
using coir::detail::readiness_bit;
using coir::test::hung_up;
using coir::test::readable;
using coir::test::scripted_world;
using coir::test::wait_for;
using coir::test::writable;
using namespace std::chrono_literals;

namespace {

// As coir's own close does there: it has no reactor of its own.
void close_on_another_thread(int descriptor) {
    std::thread([=] { coir::detail::io_forget(descriptor); }).join();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reactor_interest)

BOOST_AUTO_TEST_CASE(a_descriptor_of_ours_is_registered_once_for_its_life) {
    scripted_world world;
    world.run([&] {
        for (int i = 0; i < 3; ++i) {
            world.script.batches.push_back({readable(5), writable(5)});
            wait_for(5, direction::read, descriptor_kind::owned);
            wait_for(5, direction::write, descriptor_kind::owned, deadline::after(1ms));
        }
        BOOST_TEST(world.calls() == "standing 5 rw\n");
        world.events.forget(5);
        BOOST_TEST(world.calls() == "forget 5\n");
        world.events.forget(5);
        BOOST_TEST(world.calls() == "");
        wait_for(5, direction::read, descriptor_kind::owned, deadline::after(1ms));
        BOOST_TEST(world.calls() == "standing 5 rw\n");
    });
}

BOOST_AUTO_TEST_CASE(a_foreign_descriptor_is_registered_for_one_wait) {
    scripted_world world;
    world.run([&] {
        world.script.batches.push_back({readable(5)});
        wait_for(5, direction::read, descriptor_kind::foreign);
        BOOST_TEST(world.calls() == "one_shot 5 r\n");
        world.script.batches.push_back({readable(5)});
        wait_for(5, direction::read, descriptor_kind::foreign);
        BOOST_TEST(world.calls() == "one_shot 5 r\n");
    });
}

BOOST_AUTO_TEST_CASE(a_deadline_takes_foreign_interest_back) {
    scripted_world world;
    world.run([&] {
        wait_for(5, direction::write, descriptor_kind::foreign, deadline::after(1ms));
        BOOST_TEST(world.calls() == "one_shot 5 w\none_shot 5 \n");
    });
}

BOOST_AUTO_TEST_CASE(a_cancellation_takes_foreign_interest_back) {
    scripted_world world;
    world.run([&] {
        fiber f([] { wait_for(5, direction::read, descriptor_kind::foreign); });
        coir::this_fiber::yield();
        f.cancel();
        f.join();
        BOOST_TEST(world.calls() == "one_shot 5 r\none_shot 5 \n");
    });
}

BOOST_AUTO_TEST_CASE(interest_is_kept_for_those_who_still_wait) {
    scripted_world world;
    world.run([&] {
        fiber patient([] { wait_for(5, direction::read, descriptor_kind::foreign); });
        fiber hasty(
            [] { wait_for(5, direction::read, descriptor_kind::foreign, deadline::after(1ms)); });
        hasty.join();
        BOOST_TEST(world.calls() == "one_shot 5 r\nrenew 5 r\n");
        world.script.batches.push_back({readable(5)});
        patient.join();
    });
}

// The number may be another file's than the one that the first waiter is registered for. Then that
// wait is over, as if it had been told of a close, and does not go on with the new file.
BOOST_AUTO_TEST_CASE(each_foreign_wait_tells_the_poller_though_somebody_waits_already) {
    scripted_world world;
    world.run([&] {
        fiber first([] { wait_for(5, direction::read, descriptor_kind::foreign); });
        fiber second([] { wait_for(5, direction::read, descriptor_kind::foreign); });
        coir::this_fiber::yield();
        BOOST_TEST(world.calls() == "one_shot 5 r\nrenew 5 r\n");
        world.script.batches.push_back({readable(5)});
        first.join();
        second.join();
        BOOST_TEST(world.calls() == "");
    });
}

BOOST_AUTO_TEST_CASE(a_foreign_wait_that_finds_another_file_ends_the_waits_for_the_earlier_one) {
    for (const auto earlier_kind : {descriptor_kind::owned, descriptor_kind::foreign}) {
        scripted_world world;
        world.run([&] {
            io_result earlier{};
            io_result later{};
            fiber first([&] { earlier = wait_for(5, direction::read, earlier_kind); });
            fiber second([&] { later = wait_for(5, direction::read, descriptor_kind::foreign); });
            world.script.renewals.push_back(false);
            coir::this_fiber::yield();
            BOOST_TEST(world.calls() == (earlier_kind == descriptor_kind::owned
                                             ? "standing 5 rw\nrenew_standing 5 rw\n"
                                             : "one_shot 5 r\nrenew 5 r\n") +
                                            std::string("forget 5\none_shot 5 r\n"));
            first.join();
            BOOST_TEST(earlier.error == EBADF);
            world.script.batches.push_back({readable(5, 2)});
            second.join();
            BOOST_TEST(later.ready());
        });
    }
}

// One wait for both directions; between the two the number gets another file.
BOOST_AUTO_TEST_CASE(a_wait_whose_file_changes_while_it_begins_ends_with_ebadf) {
    const coir::detail::io_interest both[] = {{74, direction::read, descriptor_kind::foreign},
                                              {74, direction::write, descriptor_kind::foreign}};
    for (const bool closed_by_us : {true, false}) {
        scripted_world world;
        world.run([&] {
            if (closed_by_us) {
                world.script.meanwhile = [] {
                    close_on_another_thread(74);
                };
            } else {
                world.script.renewals.push_back(false);
            }
            const io_result result =
                world.events.wait_any(both, 2, deadline::never(), coir::cancellable::yes);
            BOOST_TEST(result.error == EBADF);
            BOOST_TEST(!world.events.wait_any(both, 2, deadline::after(1ms), coir::cancellable::yes)
                            .ready());
        });
    }
}

BOOST_AUTO_TEST_CASE(a_one_shot_event_asks_again_for_the_other_direction) {
    scripted_world world;
    world.run([&] {
        bool read = false;
        fiber reader(
            [&] { read = wait_for(5, direction::read, descriptor_kind::foreign).ready(); });
        fiber writer([] { wait_for(5, direction::write, descriptor_kind::foreign); });
        coir::this_fiber::yield();
        BOOST_TEST(world.calls() == "one_shot 5 r\nrenew 5 rw\n");
        world.script.batches.push_back({writable(5)});
        writer.join();
        BOOST_TEST(!read);
        BOOST_TEST(world.calls() == "renew 5 r\n");
        world.script.batches.push_back({readable(5)});
        reader.join();
        BOOST_TEST(read);
    });
}

BOOST_AUTO_TEST_CASE(without_standing_interest_our_own_descriptors_are_one_shot_too) {
    scripted_world world(false);
    world.run([&] {
        world.script.batches.push_back({readable(5)});
        wait_for(5, direction::read, descriptor_kind::owned);
        BOOST_TEST(world.calls() == "one_shot 5 r\n");
    });
}

// Nobody takes back interest in a descriptor of ours, so none but the event itself can ask again.
BOOST_AUTO_TEST_CASE(without_standing_interest_an_event_asks_again_for_the_other_direction) {
    scripted_world world(false);
    world.run([&] {
        fiber reader([] { wait_for(5, direction::read, descriptor_kind::owned); });
        fiber writer([] { wait_for(5, direction::write, descriptor_kind::owned); });
        coir::this_fiber::yield();
        BOOST_TEST(world.calls() == "one_shot 5 r\none_shot 5 rw\n");
        world.script.batches.push_back({writable(5)});
        writer.join();
        BOOST_TEST(world.calls() == "renew 5 r\n");
        world.script.batches.push_back({readable(5)});
        reader.join();
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_nobody_has_waited_for_may_be_ready) {
    scripted_world world;
    world.run([] {
        BOOST_TEST(readiness_bit(5, direction::read).is_set());
        BOOST_TEST(readiness_bit(5, direction::write).is_set());
        readiness_bit(5, direction::read).clear();  // it is not known: nothing is remembered
        BOOST_TEST(readiness_bit(5, direction::read).is_set());
    });
}

BOOST_AUTO_TEST_CASE(a_drained_direction_is_ready_again_after_its_event) {
    scripted_world world;
    world.run([&] {
        world.script.batches.push_back({writable(5)});
        wait_for(5, direction::write, descriptor_kind::owned);
        readiness_bit(5, direction::read).clear();
        BOOST_TEST(!readiness_bit(5, direction::read).is_set());
        BOOST_TEST(readiness_bit(5, direction::write).is_set());
        world.script.batches.push_back({writable(5)});
        wait_for(5, direction::write, descriptor_kind::owned);
        BOOST_TEST(!readiness_bit(5, direction::read).is_set());
        world.script.batches.push_back({readable(5)});
        wait_for(5, direction::read, descriptor_kind::owned);
        BOOST_TEST(readiness_bit(5, direction::read).is_set());
    });
}

// No further edge comes for what lasts for ever.
BOOST_AUTO_TEST_CASE(after_the_end_of_input_reads_stay_ready_and_writes_do_not) {
    scripted_world world;
    world.run([&] {
        world.script.batches.push_back({{{5, 1}, true, false, true, false, false}});
        wait_for(5, direction::read, descriptor_kind::owned);
        readiness_bit(5, direction::read).clear();
        readiness_bit(5, direction::write).clear();
        BOOST_TEST(readiness_bit(5, direction::read).is_set());
        BOOST_TEST(!readiness_bit(5, direction::write).is_set());
    });
}

BOOST_AUTO_TEST_CASE(after_a_hang_up_both_directions_stay_ready) {
    scripted_world world;
    world.run([&] {
        world.script.batches.push_back({hung_up(5)});
        wait_for(5, direction::read, descriptor_kind::owned);
        readiness_bit(5, direction::read).clear();
        readiness_bit(5, direction::write).clear();
        BOOST_TEST(readiness_bit(5, direction::read).is_set());
        BOOST_TEST(readiness_bit(5, direction::write).is_set());
    });
}

BOOST_AUTO_TEST_CASE(forgetting_resets_the_readiness_bits) {
    scripted_world world;
    world.run([&] {
        world.script.batches.push_back({hung_up(5)});
        wait_for(5, direction::read, descriptor_kind::owned);
        world.events.forget(5);
        wait_for(5, direction::read, descriptor_kind::owned, deadline::after(1ms));
        readiness_bit(5, direction::read).clear();
        BOOST_TEST(!readiness_bit(5, direction::read).is_set());
        world.events.forget(5);
        BOOST_TEST(readiness_bit(5, direction::read).is_set());
    });
}

// The socket may have moved to another carrier, whose every event would wake this one, too.
BOOST_AUTO_TEST_CASE(
    a_descriptor_whose_events_nobody_waits_for_is_not_watched_until_somebody_does) {
    scripted_world world;
    world.run([&] {
        const auto event_for_nobody = [&] {
            world.script.batches.push_back({readable(5)});
            world.events.take_events(deadline::immediately());
        };
        world.script.batches.push_back({readable(5)});
        wait_for(5, direction::read, descriptor_kind::owned);
        for (int round = 0; round < 2; ++round) {
            BOOST_TEST(world.calls() == "standing 5 rw\n");
            for (int i = 0; i < 7; ++i) {
                event_for_nobody();
            }
            world.script.batches.push_back({readable(5)});
            BOOST_TEST(wait_for(5, direction::read, descriptor_kind::owned).ready());
            for (int i = 0; i < 7; ++i) {
                event_for_nobody();
            }
            BOOST_TEST(world.calls() == "");
            readiness_bit(5, direction::read).clear();
            readiness_bit(5, direction::write).clear();
            event_for_nobody();
            BOOST_TEST(world.calls() == "one_shot 5 \n");
            BOOST_TEST(readiness_bit(5, direction::read).is_set());
            BOOST_TEST(readiness_bit(5, direction::write).is_set());
            event_for_nobody();  // one that was on its way
            BOOST_TEST(world.calls() == "");
            world.script.batches.push_back({readable(5)});
            BOOST_TEST(wait_for(5, direction::read, descriptor_kind::owned).ready());
        }
    });
}

BOOST_AUTO_TEST_CASE(a_number_that_was_ours_once_is_forgotten_by_whoever_takes_it_over) {
    scripted_world world;
    world.run([&] {
        wait_for(5, direction::read, descriptor_kind::owned, deadline::after(1ms));
        world.events.forget(5);
        world.calls();
        wait_for(5, direction::read, descriptor_kind::foreign, deadline::after(1ms));
        BOOST_TEST(world.calls() == "one_shot 5 r\none_shot 5 \n");
    });
}

BOOST_AUTO_TEST_CASE(what_another_thread_has_closed_is_told_to_the_poller_anew) {
    for (const auto next_kind : {descriptor_kind::owned, descriptor_kind::foreign}) {
        scripted_world world;
        world.run([&] {
            wait_for(5, direction::read, descriptor_kind::owned, deadline::after(1ms));
            readiness_bit(5, direction::read).clear();
            world.calls();
            close_on_another_thread(5);
            wait_for(5, direction::read, next_kind, deadline::after(1ms));
            const bool standing = next_kind == descriptor_kind::owned;
            // It hears of the close only when it waits, and asks whether it means the present file.
            BOOST_TEST(world.calls() == (standing
                                             ? "forget 5\nstanding 5 rw\nrenew_standing 5 rw\n"
                                             : "forget 5\none_shot 5 r\nrenew 5 r\none_shot 5 \n"));
            BOOST_TEST(readiness_bit(5, direction::read).is_set());
            wait_for(5, direction::read, next_kind, deadline::after(1ms));
            BOOST_TEST(world.calls() == (standing ? "" : "one_shot 5 r\none_shot 5 \n"));
        });
    }
}

BOOST_AUTO_TEST_CASE(a_close_by_another_thread_ends_the_waits_for_that_file_alone) {
    scripted_world world;
    world.run([&] {
        io_result old_file{};
        io_result other_number{};
        io_result new_file{};
        fiber first([&] { old_file = wait_for(70, direction::read, descriptor_kind::owned); });
        fiber second([&] { other_number = wait_for(71, direction::read, descriptor_kind::owned); });
        coir::this_fiber::yield();
        close_on_another_thread(70);
        // The number's next file: the close is still to be heard of here, and does not mean it.
        fiber third([&] { new_file = wait_for(70, direction::read, descriptor_kind::owned); });
        coir::this_fiber::yield();
        first.join();
        BOOST_TEST(old_file.error == EBADF);
        world.script.batches.push_back({readable(71)});
        second.join();
        BOOST_TEST(other_number.ready());
        world.script.batches.push_back({readable(70), readable(70, 2)});
        third.join();
        BOOST_TEST(new_file.ready());
    });
}

BOOST_AUTO_TEST_CASE(a_close_by_another_thread_ends_a_wait_that_is_under_way) {
    scripted_world world;
    world.run([&] {
        io_result result{};
        fiber reader([&] { result = wait_for(72, direction::read, descriptor_kind::foreign); });
        coir::this_fiber::yield();
        close_on_another_thread(72);
        world.script.batches.emplace_back();  // the wake-up
        reader.join();
        BOOST_TEST(result.error == EBADF);
    });
}

// Whoever closed may have meant the file that is waited for, or the one before it.
BOOST_AUTO_TEST_CASE(a_close_that_is_heard_of_late_ends_the_wait_if_the_number_has_another_file) {
    for (const auto kind : {descriptor_kind::owned, descriptor_kind::foreign}) {
        scripted_world world;
        world.run([&] {
            io_result result{};
            fiber reader([&] { result = wait_for(73, direction::read, kind); });
            coir::this_fiber::yield();
            world.calls();
            world.events.closed_elsewhere(73);
            world.events.take_events(deadline::immediately());
            coir::this_fiber::yield();
            BOOST_TEST(world.events.waits() == 1U);
            world.events.closed_elsewhere(73);
            world.script.renewals.push_back(false);
            world.events.take_events(deadline::immediately());
            reader.join();
            BOOST_TEST(result.error == EBADF);
            const std::string renewed =
                kind == descriptor_kind::owned ? "renew_standing 73 rw\n" : "renew 73 r\n";
            BOOST_TEST(world.calls() == renewed + renewed + "forget 73\n");
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
