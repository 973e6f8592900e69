// SPDX-License-Identifier: BSL-1.0
// What every backend does, on real pipes and sockets: the same cases run on each.
#include "reactor/poller.hpp"

#include "base/unique_fd.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using coir::deadline;
using coir::reactor_kind;
using coir::detail::direction_set;
using coir::detail::make_poller;
using coir::detail::poller;
using coir::detail::poller_event;
using coir::detail::poller_key;
using coir::detail::unique_fd;
using namespace std::chrono_literals;

namespace {

constexpr direction_set reading{true, false};
constexpr direction_set both{true, true};
constexpr direction_set nothing{};

std::pair<unique_fd, unique_fd> make_pipe() {
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    return {unique_fd(ends[0]), unique_fd(ends[1])};
}

std::pair<unique_fd, unique_fd> make_socket_pair() {
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    return {unique_fd(ends[0]), unique_fd(ends[1])};
}

void put(const unique_fd& to) { BOOST_REQUIRE(::write(to.get(), "x", 1) == 1); }

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
    }
}

BOOST_AUTO_TEST_CASE(an_event_takes_all_one_shot_interest_back) {
    const auto p = make();
    const auto [near, far] = make_socket_pair();
    BOOST_TEST(p->set_one_shot({near.get(), 7}, both) == 0);
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].key.descriptor == near.get());
    BOOST_TEST(events[0].key.generation == 7U);
    BOOST_TEST(events[0].writable);
    BOOST_TEST(!events[0].readable);
    BOOST_TEST(!events[0].failed);
    put(far);
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(p->set_one_shot({near.get(), 8}, reading) == 0);
    const auto more = take(*p);
    BOOST_TEST_REQUIRE(more.size() == 1U);
    BOOST_TEST(more[0].readable);
    BOOST_TEST(more[0].key.generation == 8U);
    BOOST_TEST(take(*p).empty());
}

BOOST_AUTO_TEST_CASE(interest_can_be_changed_and_taken_back) {
    const auto p = make();
    const auto [near, far] = make_socket_pair();
    BOOST_TEST(p->set_one_shot({near.get(), 1}, both) == 0);
    BOOST_TEST(p->set_one_shot({near.get(), 1}, reading) == 0);
    BOOST_TEST(take(*p).empty());
    put(far);
    BOOST_TEST(p->set_one_shot({near.get(), 1}, nothing) == 0);
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(p->set_one_shot({near.get(), 1}, nothing) == 0);
    BOOST_TEST(p->set_one_shot({near.get(), 1}, reading) == 0);
    BOOST_TEST(take(*p).size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_event_that_is_there_already_is_reported) {
    const auto p = make();
    const auto [read_end, write_end] = make_pipe();
    put(write_end);
    BOOST_TEST(p->set_one_shot({read_end.get(), 1}, reading) == 0);
    BOOST_TEST(take(*p).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_hang_up_is_reported_once_and_wakes_both_directions) {
    const auto p = make();
    auto [near, far] = make_socket_pair();
    BOOST_TEST(p->set_one_shot({near.get(), 1}, reading) == 0);
    far.reset();
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST((events[0].readable || events[0].failed || events[0].ended));
    BOOST_TEST(take(*p).empty());
}

BOOST_AUTO_TEST_CASE(a_number_that_was_closed_and_given_out_again_is_registered_anew) {
    const auto p = make();
    int number = -1;
    {
        const auto [read_end, write_end] = make_pipe();
        number = read_end.get();
        BOOST_TEST(p->set_one_shot({number, 1}, reading) == 0);
        put(write_end);
        BOOST_TEST(take(*p).size() == 1U);
    }
    const auto [read_end, write_end] = make_pipe();
    BOOST_TEST_REQUIRE(read_end.get() == number);
    BOOST_TEST(p->set_one_shot({number, 2}, reading) == 0);
    BOOST_TEST(take(*p).empty());
    put(write_end);
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].key.generation == 2U);
}

BOOST_AUTO_TEST_CASE(many_descriptors_are_reported_whatever_the_capacity) {
    const auto p = make();
    std::vector<std::pair<unique_fd, unique_fd>> pipes;
    for (int i = 0; i < 300; ++i) {
        pipes.push_back(make_pipe());
        put(pipes.back().second);
        BOOST_TEST_REQUIRE(p->set_one_shot({pipes.back().first.get(), 1}, reading) == 0);
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
    std::vector<std::pair<unique_fd, unique_fd>> pipes;
    for (int i = 0; i < 300; ++i) {
        pipes.push_back(make_pipe());
        put(pipes.back().second);
        BOOST_TEST_REQUIRE(p->set_one_shot({pipes.back().first.get(), 1}, reading) == 0);
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
    std::vector<std::pair<unique_fd, unique_fd>> pipes;
    for (int i = 0; i < 5; ++i) {
        pipes.push_back(make_pipe());
        put(pipes.back().second);
        BOOST_TEST_REQUIRE(p->set_one_shot({pipes.back().first.get(), 1}, reading) == 0);
    }
    std::array<poller_event, 2> events;
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), 2) == 2U);
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), 2) == 2U);
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), 2) == 1U);
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), 2) == 0U);
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
    std::thread waker([&] {
        std::this_thread::sleep_for(1ms);
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
    const auto [read_end, write_end] = make_pipe();
    BOOST_TEST(p->set_one_shot({read_end.get(), 1}, reading) == 0);
    put(write_end);
    p->wake();
    BOOST_TEST(take(*p, deadline::never()).size() == 1U);
}

BOOST_AUTO_TEST_CASE(errno_is_kept) {
    const auto p = make();
    const auto [read_end, write_end] = make_pipe();
    errno = 1234;
    p->set_one_shot({read_end.get(), 1}, reading);
    p->set_one_shot({read_end.get(), 1}, both);
    p->set_one_shot({read_end.get(), 1}, nothing);
    p->set_one_shot({read_end.get(), 1}, nothing);
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

BOOST_AUTO_TEST_SUITE_END()
