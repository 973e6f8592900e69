// SPDX-License-Identifier: BSL-1.0
// A descriptor that ends while fibers wait for it.
#include "integration/posix/law.hpp"

#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace coir::test;
namespace posix = coir::posix;
using namespace std::chrono_literals;

namespace {

struct outcome {
    ssize_t result = 0;
    int error = 0;
};

template <class Call>
outcome outcome_of(Call call) {
    const ssize_t result = call();
    return {result, errno};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_close)

BOOST_AUTO_TEST_CASE(close_ends_every_wait_with_ebadf) {
    coir::run([] {
        auto pair = connected_sockets(socket_kind::tcp);
        auto pipe = pipe_ends();
        sockaddr_in address{};
        unique_fd listener = listening_socket(address);
        char buffer[8];
        outcome received;
        outcome also_received;
        outcome accepted;
        outcome read;
        short polled_events = 0;
        coir::fiber a([&] {
            received = outcome_of([&] { return posix::recv(pair.a.get(), buffer, 8, 0); });
        });
        coir::fiber b([&] {
            also_received = outcome_of([&] { return posix::read(pair.a.get(), buffer, 8); });
        });
        coir::fiber c([&] {
            accepted = outcome_of([&] { return posix::accept(listener.get(), nullptr, nullptr); });
        });
        coir::fiber d(
            [&] { read = outcome_of([&] { return posix::read(pipe.a.get(), buffer, 8); }); });
        coir::fiber e([&] {
            pollfd one{pair.a.get(), POLLIN, 0};
            BOOST_TEST(posix::poll(&one, 1, -1) == 1);
            polled_events = one.revents;
        });
        coir::this_fiber::yield();
        BOOST_TEST(posix::close(pair.a.release()) == 0);
        BOOST_TEST(posix::close(listener.release()) == 0);
        BOOST_TEST(posix::close(pipe.a.release()) == 0);
        for (coir::fiber* one : {&a, &b, &c, &d, &e}) {
            one->join();
        }
        for (const outcome& one : {received, also_received, accepted, read}) {
            BOOST_TEST(one.result == -1);
            BOOST_TEST(one.error == EBADF);
        }
        BOOST_TEST(polled_events == POLLNVAL);
    });
}

// The number is given out again before the waiter runs: it must not read from the new descriptor.
BOOST_AUTO_TEST_CASE(a_reused_number_is_not_mistaken) {
    coir::run([] {
        auto old_pair = connected_sockets(socket_kind::unix_stream);
        const auto new_pair = connected_sockets(socket_kind::unix_stream);
        BOOST_REQUIRE(::send(new_pair.b.get(), "secret", 6, 0) == 6);
        const int number = old_pair.a.get();
        for (const bool by_dup : {true, false}) {
            outcome received;
            coir::fiber waiter([&] {
                char buffer[8];
                received = outcome_of([&] { return posix::recv(number, buffer, 8, 0); });
            });
            coir::this_fiber::yield();
            if (by_dup) {
                BOOST_TEST(posix::dup2(new_pair.a.get(), number) == number);
            } else {
                BOOST_TEST(posix::close(old_pair.a.release()) == 0);
                old_pair.a = unique_fd(::dup(new_pair.a.get()));
                BOOST_TEST(old_pair.a.get() == number);
            }
            waiter.join();
            BOOST_TEST(received.result == -1);
            BOOST_TEST(received.error == EBADF);
            char buffer[8];  // for the next round: empty, so that a fiber waits
            posix::recv(new_pair.a.get(), buffer, 8, MSG_DONTWAIT);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_dup_that_fails_ends_nothing) {
    coir::run([] {
        const auto pair = connected_sockets(socket_kind::tcp);
        char letter = 0;
        coir::fiber waiter([&] { BOOST_TEST(posix::recv(pair.a.get(), &letter, 1, 0) == 1); });
        coir::this_fiber::yield();
        BOOST_TEST(posix::dup2(-1, pair.a.get()) == -1);
        BOOST_TEST(errno == EBADF);
        BOOST_TEST(posix::dup2(pair.a.get(), pair.a.get()) == pair.a.get());
        BOOST_TEST(posix::dup3(pair.a.get(), pair.a.get(), 0) == -1);
        BOOST_TEST(errno == EINVAL);
        BOOST_TEST(posix::send(pair.b.get(), "x", 1, 0) == 1);
        waiter.join();
    });
}

BOOST_AUTO_TEST_CASE(closing_is_libcs) {
    check_law([](const posix_calls& c, transcript& t) {
        auto pipe = pipe_ends();
        const int number = pipe.a.release();
        t.call("close", [&] { return c.close(number); });
        t.call("close again", [&] { return c.close(number); });
        t.call("close -1", [&] { return c.close(-1); });
    });
}

// --- Many at once, and coir's own ---------------------------------------------------------------

// As a program closes all that it has: none of coir's is among them.
BOOST_AUTO_TEST_CASE(a_loop_over_all_numbers_leaves_coir_what_it_needs) {
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        coir::run([] {
            for (int fd = 3; fd < 1024; ++fd) {
                posix::close(fd);
            }
            posix::closefrom(3);
            for (int fd = 3; fd < 1024; ++fd) {
                posix::dup2(0, fd);
            }
            posix::close_range(3, ~0U, 0);
            coir::fiber other([] { coir::this_fiber::sleep_for(2ms); });
            other.join();
            char byte = 0;
            const auto pair = connected_sockets(socket_kind::unix_stream);
            coir::fiber writer([&] { posix::send(pair.a.get(), "x", 1, 0); });
            ::_exit(posix::recv(pair.b.get(), &byte, 1, 0) == 1 && byte == 'x' ? 0 : 1);
        });
        ::_exit(2);
    }
    int status = 0;
    BOOST_TEST(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(a_range_ends_the_waits_for_what_is_in_it_and_for_nothing_else) {
    coir::run([] {
        auto meant = connected_sockets(socket_kind::unix_stream);
        auto above = connected_sockets(socket_kind::unix_stream);
        const int number = meant.a.get();
        outcome ended;
        outcome went_on;
        char buffer[8];
        char other_buffer[8];
        coir::fiber a(
            [&] { ended = outcome_of([&] { return posix::recv(number, buffer, 8, 0); }); });
        coir::fiber b([&] {
            went_on = outcome_of([&] { return posix::recv(above.a.get(), other_buffer, 8, 0); });
        });
        coir::this_fiber::yield();
        errno = 4711;
        BOOST_TEST(posix::close_range(unsigned(number), unsigned(number), 0) == 0);
        BOOST_TEST(errno == 4711);
        a.join();
        BOOST_TEST(ended.result == -1);
        BOOST_TEST(ended.error == EBADF);
        BOOST_TEST(::fcntl(meant.a.release(), F_GETFD) == -1);
        BOOST_TEST(posix::send(above.b.get(), "abc", 3, 0) == 3);
        b.join();
        BOOST_TEST(went_on.result == 3);
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_range_is_said_as_libc_says_it) {
    coir::run([] {
        BOOST_TEST((outcome_of([] { return posix::close_range(9, 8, 0); }).error == EINVAL));
        BOOST_TEST((outcome_of([] { return posix::close_range(3, 4, 1 << 20); }).error == EINVAL));
    });
}

// Whoever counts on getting the lowest number free gets it.
BOOST_AUTO_TEST_CASE(coirs_own_are_out_of_the_way) {
    const unique_fd before(::dup(0));
    coir::run([&] {
        const unique_fd next(::dup(0));
        BOOST_TEST(next.get() == before.get() + 1);
    });
}

BOOST_AUTO_TEST_SUITE_END()
