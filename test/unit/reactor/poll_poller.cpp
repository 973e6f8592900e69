// SPDX-License-Identifier: BSL-1.0
#include "reactor/poller.hpp"

#include "support/descriptors.hpp"
#include "support/system_calls.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <array>
#include <cerrno>

using coir::deadline;
using coir::detail::make_poll_poller;
using coir::detail::poller_event;
using coir::detail::system_calls;
using coir::test::failing_with;
using coir::test::replace_system_call;
using coir::test::socket_pair;

BOOST_AUTO_TEST_SUITE(poll_backend)

BOOST_AUTO_TEST_CASE(it_has_no_standing_interest) {
    const auto p = make_poll_poller();
    BOOST_TEST(!p->has_standing_interest());
    BOOST_TEST(p->set_standing({0, 1}) != 0);
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_not_open_is_reported_as_invalid_once) {
    const auto p = make_poll_poller();
    int ends[2];
    BOOST_TEST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    ::close(ends[0]);
    ::close(ends[1]);
    BOOST_TEST(p->set_one_shot({ends[0], 3}, {true, false}) == 0);
    std::array<poller_event, 4> events;
    BOOST_TEST_REQUIRE(p->wait(deadline::never(), events.data(), events.size()) == 1U);
    BOOST_TEST(events[0].invalid);
    BOOST_TEST(events[0].key.descriptor == ends[0]);
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), events.size()) == 0U);
}

BOOST_AUTO_TEST_CASE(an_interrupted_wait_returns_early_with_nothing) {
    const auto p = make_poll_poller();
    const replace_system_call<&system_calls::ppoll> guard(failing_with(EINTR));
    std::array<poller_event, 4> events;
    errno = 0;
    BOOST_TEST(p->wait(deadline::never(), events.data(), events.size()) == 0U);
    BOOST_TEST(errno == 0);
}

BOOST_AUTO_TEST_CASE(a_forgotten_descriptor_is_not_polled) {
    const auto p = make_poll_poller();
    int ends[2];
    BOOST_TEST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    p->set_one_shot({ends[1], 1}, {false, true});
    p->forget(ends[1]);
    p->forget(ends[1]);
    p->forget(12345);
    std::array<poller_event, 4> events;
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), events.size()) == 0U);
    ::close(ends[0]);
    ::close(ends[1]);
}

BOOST_AUTO_TEST_CASE(interest_can_be_renewed_whatever_file_the_number_has) {
    const auto p = make_poll_poller();
    socket_pair pair;
    const int number = pair.near.get();
    BOOST_TEST(p->set_one_shot({number, 1}, {true, false}) == 0);
    pair.near.reset();
    BOOST_TEST(p->renew_one_shot({number, 1}, {true, false}));
    std::array<poller_event, 4> events;
    BOOST_TEST(p->wait(deadline::immediately(), events.data(), events.size()) == 1U);
    BOOST_TEST(events[0].invalid);
    BOOST_TEST(!p->renew_standing({number, 1}));
}

BOOST_AUTO_TEST_SUITE_END()
