// SPDX-License-Identifier: BSL-1.0
#include "reactor/poller.hpp"

#include "base/unique_fd.hpp"
#include "support/descriptors.hpp"
#include "support/system_calls.hpp"
#include "support/temporary.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

using coir::deadline;
using coir::detail::make_epoll_poller;
using coir::detail::poller;
using coir::detail::poller_event;
using coir::detail::system_calls;
using coir::detail::unique_fd;
using coir::test::failing_with;
using coir::test::replace_system_call;
using coir::test::socket_pair;
using namespace std::chrono_literals;

namespace {

std::vector<poller_event> take(poller& p, deadline until = deadline::immediately()) {
    std::array<poller_event, 256> events;
    const std::size_t count = p.wait(until, events.data(), events.size());
    return {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(epoll_backend)

BOOST_AUTO_TEST_CASE(standing_interest_reports_when_readiness_comes_and_not_while_it_lasts) {
    const auto p = make_epoll_poller();
    const socket_pair pair;
    BOOST_TEST(p->set_standing({pair.near.get(), 1}) == 0);
    BOOST_TEST(take(*p).size() == 1U);  // writable
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(::write(pair.far.get(), "x", 1) == 1);
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].readable);
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(::write(pair.far.get(), "x", 1) == 1);
    BOOST_TEST(take(*p).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_half_close_is_the_end_of_input_and_a_close_is_a_failure_reported_once) {
    const auto p = make_epoll_poller();
    socket_pair pair;
    BOOST_TEST(p->set_standing({pair.near.get(), 1}) == 0);
    take(*p);
    ::shutdown(pair.far.get(), SHUT_WR);
    const auto half = take(*p);
    BOOST_TEST_REQUIRE(half.size() == 1U);
    BOOST_TEST(half[0].ended);
    BOOST_TEST(!half[0].failed);
    BOOST_TEST(take(*p).empty());
    pair.far.reset();
    const auto whole = take(*p);
    BOOST_TEST_REQUIRE(whole.size() == 1U);
    BOOST_TEST(whole[0].failed);
    BOOST_TEST(take(*p).empty());
}

BOOST_AUTO_TEST_CASE(a_warm_foreign_wait_costs_one_call_of_epoll_ctl) {
    const auto p = make_epoll_poller();
    const socket_pair pair;
    int calls = 0;
    const replace_system_call<&system_calls::epoll_ctl> guard([&](int epoll, int operation, int fd,
                                                                  epoll_event* event) {
        ++calls;
        return replace_system_call<&system_calls::epoll_ctl>::original(epoll, operation, fd, event);
    });
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {false, true}) == 0);
        BOOST_TEST(take(*p).size() == 1U);
    }
    BOOST_TEST(calls == 10);
}

// What tells a reactor that a number has got another file.
BOOST_AUTO_TEST_CASE(interest_can_be_renewed_only_while_the_number_has_the_same_file) {
    const auto p = make_epoll_poller();
    for (const bool standing : {true, false}) {
        socket_pair pair;
        const int number = pair.near.get();
        const auto renew = [&] {
            return standing ? p->renew_standing({number, 1})
                            : p->renew_one_shot({number, 1}, {true, false});
        };
        BOOST_TEST((standing ? p->set_standing({number, 1})
                             : p->set_one_shot({number, 1}, {true, false})) == 0);
        errno = 0;
        BOOST_TEST(renew());
        BOOST_TEST(::write(pair.far.get(), "x", 1) == 1);
        BOOST_TEST(take(*p).size() == 1U);
        BOOST_TEST(renew());
        BOOST_TEST(take(*p).size() == 1U);  // it is readable still
        const unique_fd same_file(::dup(number));
        pair.near.reset();
        BOOST_TEST(!renew());
        socket_pair other;
        BOOST_TEST_REQUIRE(other.near.get() == number);
        BOOST_TEST(!renew());
        BOOST_TEST(errno == 0);
        BOOST_TEST((standing ? p->set_standing({number, 2})
                             : p->set_one_shot({number, 2}, {true, false})) == 0);
        BOOST_TEST(renew());
    }
}

BOOST_AUTO_TEST_CASE(standing_interest_can_be_taken_back) {
    const auto p = make_epoll_poller();
    const socket_pair pair;
    BOOST_TEST(p->set_standing({pair.near.get(), 1}) == 0);
    take(*p);
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {}) == 0);
    BOOST_TEST(::write(pair.far.get(), "x", 1) == 1);
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(p->set_standing({pair.near.get(), 1}) == 0);
    BOOST_TEST(take(*p).size() == 1U);
}

BOOST_AUTO_TEST_CASE(errors_of_the_kernel_are_handed_on) {
    const auto p = make_epoll_poller();
    const socket_pair pair;
    for (const int error : {ENOSPC, ENOMEM}) {
        const replace_system_call<&system_calls::epoll_ctl> guard(failing_with(error));
        BOOST_TEST(p->set_standing({pair.near.get(), 1}) == error);
        BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {true, false}) == error);
    }
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {false, true}) == 0);
    BOOST_TEST(take(*p).size() == 1U);
    BOOST_TEST(p->set_one_shot({12345, 1}, {true, false}) == EBADF);
}

BOOST_AUTO_TEST_CASE(a_regular_file_is_eperm) {
    const auto p = make_epoll_poller();
    const unique_fd file = coir::test::temporary_file();
    BOOST_TEST(p->set_one_shot({file.get(), 1}, {true, false}) == EPERM);
    BOOST_TEST(p->set_standing({file.get(), 1}) == EPERM);
}

BOOST_AUTO_TEST_CASE(an_interrupted_wait_returns_early_with_nothing) {
    const auto p = make_epoll_poller();
    const replace_system_call<&system_calls::epoll_pwait2> guard(failing_with(EINTR));
    errno = 0;
    BOOST_TEST(take(*p, deadline::never()).empty());
    BOOST_TEST(errno == 0);
}

BOOST_AUTO_TEST_CASE(without_epoll_pwait2_it_falls_back_for_good_and_rounds_up) {
    const auto p = make_epoll_poller();
    int tried = 0;
    int milliseconds = 0;
    const replace_system_call<&system_calls::epoll_pwait2> missing([&](auto&&...) {
        ++tried;
        errno = ENOSYS;
        return -1;
    });
    const replace_system_call<&system_calls::epoll_wait> guard(
        [&](int, epoll_event*, int, int timeout) {
            milliseconds = timeout;
            return 0;
        });
    take(*p, deadline::immediately());
    BOOST_TEST(milliseconds == 0);
    take(*p, deadline::never());
    BOOST_TEST(milliseconds == -1);
    take(*p, deadline::after(1ns + 100s));
    BOOST_TEST(milliseconds > 99000);
    take(*p, deadline::after(10us));
    BOOST_TEST(milliseconds <= 1);
    take(*p, deadline::after(24h * 365));
    BOOST_TEST(milliseconds == std::numeric_limits<int>::max());
    BOOST_TEST(tried == 1);
}

BOOST_AUTO_TEST_CASE(no_descriptors_left_is_an_error_that_names_the_limit) {
    const replace_system_call<&system_calls::epoll_create1> guard(failing_with(EMFILE));
    BOOST_CHECK_EXCEPTION(make_epoll_poller(), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::too_many_files_open &&
               std::string(e.what()).find("ulimit -n") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()
