// SPDX-License-Identifier: BSL-1.0
// What every backend does, on real pipes and sockets: the same cases run on each.
#include "reactor/poller.hpp"

#include "support/captured_log.hpp"
#include "support/descriptors.hpp"
#include "support/watched_thread.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using coir::deadline;
using coir::reactor_kind;
using coir::detail::direction_set;
using coir::detail::make_poller;
using coir::detail::poller;
using coir::detail::poller_event;
using coir::detail::poller_key;
using coir::test::pipe_ends;
using coir::test::put;
using coir::test::socket_pair;
using coir::test::watched_thread;
using namespace std::chrono_literals;

namespace {

constexpr direction_set reading{true, false};
constexpr direction_set both{true, true};
constexpr direction_set nothing{};

std::vector<poller_event> take(poller& p, deadline until = deadline::immediately()) {
    std::array<poller_event, 256> events;
    const std::size_t count = p.wait(until, events.data(), events.size());
    return {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::unique_ptr<poller> make() { return make_poller(reactor_kind::automatic); }

}  // namespace

BOOST_AUTO_TEST_SUITE(pollers)

BOOST_AUTO_TEST_CASE(the_environment_names_the_backend) {
    const char* const wanted = std::getenv("COIR_REACTOR");
    if (wanted != nullptr) {
        BOOST_TEST(make()->name() == std::string(wanted));
        BOOST_TEST(make_poller(reactor_kind::poll)->name() == std::string(wanted));
        BOOST_TEST(make_poller(reactor_kind::epoll)->name() == std::string(wanted));
        BOOST_TEST(make_poller(reactor_kind::io_uring)->name() == std::string(wanted));
    }
}

BOOST_AUTO_TEST_CASE(an_event_takes_all_one_shot_interest_back) {
    const auto p = make();
    const socket_pair pair;
    BOOST_TEST(p->set_one_shot({pair.near.get(), 7}, both) == 0);
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].key.descriptor == pair.near.get());
    BOOST_TEST(events[0].key.generation == 7U);
    BOOST_TEST(events[0].writable);
    BOOST_TEST(!events[0].readable);
    BOOST_TEST(!events[0].failed);
    put(pair.far);
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(p->set_one_shot({pair.near.get(), 8}, reading) == 0);
    const auto more = take(*p);
    BOOST_TEST_REQUIRE(more.size() == 1U);
    BOOST_TEST(more[0].readable);
    BOOST_TEST(more[0].key.generation == 8U);
    BOOST_TEST(take(*p).empty());
}

BOOST_AUTO_TEST_CASE(interest_can_be_changed_and_taken_back) {
    const auto p = make();
    const socket_pair pair;
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, both) == 0);
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, reading) == 0);
    BOOST_TEST(take(*p).empty());
    put(pair.far);
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, nothing) == 0);
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, nothing) == 0);
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, reading) == 0);
    BOOST_TEST(take(*p).size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_event_that_is_there_already_is_reported) {
    const auto p = make();
    const pipe_ends pipe;
    put(pipe.write);
    BOOST_TEST(p->set_one_shot({pipe.read.get(), 1}, reading) == 0);
    BOOST_TEST(take(*p).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_hang_up_is_reported_once_and_wakes_both_directions) {
    const auto p = make();
    socket_pair pair;
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, reading) == 0);
    pair.far.reset();
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST((events[0].readable || events[0].failed || events[0].ended));
    BOOST_TEST(take(*p).empty());
}

BOOST_AUTO_TEST_CASE(a_number_that_was_closed_and_given_out_again_is_registered_anew) {
    const auto p = make();
    int number = -1;
    {
        const pipe_ends pipe;
        number = pipe.read.get();
        BOOST_TEST(p->set_one_shot({number, 1}, reading) == 0);
        put(pipe.write);
        BOOST_TEST(take(*p).size() == 1U);
    }
    const pipe_ends pipe;
    BOOST_TEST_REQUIRE(pipe.read.get() == number);
    BOOST_TEST(p->set_one_shot({number, 2}, reading) == 0);
    BOOST_TEST(take(*p).empty());
    put(pipe.write);
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].key.generation == 2U);
}

BOOST_AUTO_TEST_CASE(many_descriptors_are_reported_whatever_the_capacity) {
    const auto p = make();
    std::deque<pipe_ends> pipes;
    for (int i = 0; i < 300; ++i) {
        pipes.emplace_back();
        put(pipes.back().write);
        BOOST_TEST_REQUIRE(p->set_one_shot({pipes.back().read.get(), 1}, reading) == 0);
    }
    std::set<int> seen;
    for (int rounds = 0; seen.size() < 300 && rounds < 10; ++rounds) {
        for (const poller_event& event : take(*p)) {
            BOOST_TEST(seen.insert(event.key.descriptor).second);
        }
    }
    BOOST_TEST(seen.size() == 300U);
}

// More are ready, all the time, than one wait reports: each must have its turn.
BOOST_AUTO_TEST_CASE(descriptors_that_are_always_ready_do_not_keep_others_out) {
    const auto p = make();
    std::deque<pipe_ends> pipes;
    for (int i = 0; i < 300; ++i) {
        pipes.emplace_back();
        put(pipes.back().write);
        BOOST_TEST_REQUIRE(p->set_one_shot({pipes.back().read.get(), 1}, reading) == 0);
    }
    std::set<int> seen;
    for (int rounds = 0; seen.size() < 300 && rounds < 20; ++rounds) {
        for (const poller_event& event : take(*p)) {
            seen.insert(event.key.descriptor);
            BOOST_TEST_REQUIRE(p->set_one_shot(event.key, reading) == 0);
        }
    }
    BOOST_TEST(seen.size() == 300U);
}

BOOST_AUTO_TEST_CASE(a_small_capacity_is_respected) {
    const auto p = make();
    std::deque<pipe_ends> pipes;
    for (int i = 0; i < 5; ++i) {
        pipes.emplace_back();
        put(pipes.back().write);
        BOOST_TEST_REQUIRE(p->set_one_shot({pipes.back().read.get(), 1}, reading) == 0);
    }
    std::array<poller_event, 2> events;
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), 2) == 2U);
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), 2) == 2U);
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), 2) == 1U);
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), 2) == 0U);
}

// A backend may know of an event already that it had no room to report. The interest takes it
// along.
BOOST_AUTO_TEST_CASE(an_event_given_up_before_its_report_ends_no_later_wait) {
    for (const bool closed : {false, true}) {
        const auto p = make();
        std::array<pipe_ends, 2> pipes;
        for (const pipe_ends& pipe : pipes) {
            put(pipe.write);
            BOOST_TEST_REQUIRE(p->set_one_shot({pipe.read.get(), 1}, reading) == 0);
        }
        poller_event event{};
        BOOST_TEST_REQUIRE(p->wait(deadline::immediately(), &event, 1) == 1U);
        pipe_ends& unreported = pipes[event.key.descriptor == pipes[0].read.get() ? 1 : 0];
        if (closed) {
            p->forget(unreported.read.get());
            unreported.read.reset();
        } else {
            BOOST_TEST(p->set_one_shot({unreported.read.get(), 1}, nothing) == 0);
        }
        BOOST_TEST(take(*p).empty());  // io_uring returns when the interest has ended
        const auto until = std::chrono::steady_clock::now() + 2ms;
        BOOST_TEST(take(*p, until).empty());
        BOOST_TEST((std::chrono::steady_clock::now() >= until));
        BOOST_TEST(p->set_one_shot(event.key, reading) == 0);
        const auto events = take(*p);
        BOOST_TEST_REQUIRE(events.size() == 1U);
        BOOST_TEST(events[0].key.descriptor == event.key.descriptor);
    }
}

BOOST_AUTO_TEST_CASE(a_wait_is_not_over_before_its_deadline) {
    const auto p = make();
    const auto until = std::chrono::steady_clock::now() + 3ms;
    while (std::chrono::steady_clock::now() < until) {
        BOOST_TEST(take(*p, until).empty());
    }
    const auto sub_millisecond = std::chrono::steady_clock::now() + 300us;
    take(*p, sub_millisecond);
    BOOST_TEST((std::chrono::steady_clock::now() >= sub_millisecond));
}

BOOST_AUTO_TEST_CASE(a_wake_up_ends_the_wait_or_the_next_one) {
    const auto p = make();
    p->wake();
    BOOST_TEST(take(*p, deadline::never()).empty());
    const watched_thread here;
    std::thread waker([&] {
        here.await_asleep();
        p->wake();
    });
    BOOST_TEST(take(*p, deadline::never()).empty());
    waker.join();
    // It is no standing readiness.
    const auto until = std::chrono::steady_clock::now() + 2ms;
    take(*p, until);
    BOOST_TEST((std::chrono::steady_clock::now() >= until));
}

BOOST_AUTO_TEST_CASE(wake_ups_and_events_come_together) {
    const auto p = make();
    const pipe_ends pipe;
    BOOST_TEST(p->set_one_shot({pipe.read.get(), 1}, reading) == 0);
    put(pipe.write);
    p->wake();
    BOOST_TEST(take(*p, deadline::never()).size() == 1U);
}

BOOST_AUTO_TEST_CASE(errno_is_kept) {
    const auto p = make();
    const pipe_ends pipe;
    errno = 1234;
    p->set_one_shot({pipe.read.get(), 1}, reading);
    p->set_one_shot({pipe.read.get(), 1}, both);
    p->set_one_shot({pipe.read.get(), 1}, nothing);
    p->set_one_shot({pipe.read.get(), 1}, nothing);
    take(*p);
    p->wake();
    BOOST_TEST(errno == 1234);
}

BOOST_AUTO_TEST_CASE(an_unknown_name_of_a_backend_is_refused) {
    const char* const before = std::getenv("COIR_REACTOR");
    const std::string kept = before != nullptr ? before : "";
    ::setenv("COIR_REACTOR", "kqueue", 1);
    BOOST_CHECK_EXCEPTION(make(), std::invalid_argument, [](const std::invalid_argument& e) {
        return std::string(e.what()).find("kqueue") != std::string::npos &&
               std::string(e.what()).find("COIR_REACTOR") != std::string::npos;
    });
    ::setenv("COIR_REACTOR", "", 1);
    BOOST_CHECK_NO_THROW(make());
    if (before != nullptr) {
        ::setenv("COIR_REACTOR", kept.c_str(), 1);
    } else {
        ::unsetenv("COIR_REACTOR");
    }
}

#if defined(__linux__) && !defined(COIR_HAS_IO_URING)
BOOST_AUTO_TEST_CASE(built_without_io_uring_it_uses_epoll_and_says_so) {
    const char* const before = std::getenv("COIR_REACTOR");
    const std::string kept = before != nullptr ? before : "";
    ::unsetenv("COIR_REACTOR");
    const coir::test::captured_log log;
    BOOST_TEST(make_poller(reactor_kind::io_uring)->name() == std::string("epoll"));
    BOOST_TEST(log.has("built without it"));
    if (before != nullptr) {
        ::setenv("COIR_REACTOR", kept.c_str(), 1);
    }
}
#endif

BOOST_AUTO_TEST_SUITE_END()
