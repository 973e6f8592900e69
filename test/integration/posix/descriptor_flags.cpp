// SPDX-License-Identifier: BSL-1.0
// Descriptors stay as the program made them, for itself and for whoever inherits them.
#include "integration/posix/law.hpp"

#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <sys/wait.h>
#include <boost/test/unit_test.hpp>

using namespace coir::test;
namespace posix = coir::posix;

BOOST_AUTO_TEST_SUITE(posix_descriptor_flags)

// Looked at by another fiber while one waits in each of the calls, and after it.
BOOST_AUTO_TEST_CASE(a_waiting_call_leaves_a_blocking_descriptor_blocking) {
    coir::run([] {
        const auto pair = connected_sockets(socket_kind::tcp);
        const auto pipe = pipe_ends();
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address);
        char buffer[2];
        std::vector<coir::fiber> fibers;
        fibers.emplace_back([&] { posix::recv(pair.a.get(), buffer, 1, 0); });
        fibers.emplace_back([&] { posix::read(pipe.a.get(), buffer + 1, 1); });
        fibers.emplace_back([&] { posix::accept(listener.get(), nullptr, nullptr); });
        coir::this_fiber::yield();
        for (const unique_fd* fd : {&pair.a, &pipe.a, &listener}) {
            BOOST_TEST(!is_nonblocking(fd->get()));
        }
        for (coir::fiber& one : fibers) {
            one.cancel();
            one.join();
        }
        for (const unique_fd* fd : {&pair.a, &pipe.a, &listener}) {
            BOOST_TEST(!is_nonblocking(fd->get()));
        }
    });
}

// A child that inherits a descriptor which a fiber waits for must find it blocking: where a library
// leaves O_NONBLOCK set, cat ends with EAGAIN.
BOOST_AUTO_TEST_CASE(an_executed_cat_inherits_a_clean_descriptor) {
    coir::run([] {
        auto input = pipe_ends();
        auto output = pipe_ends();
        char letter = 0;
        coir::fiber waiter([&] { BOOST_TEST(posix::read(input.a.get(), &letter, 1) == 1); });
        coir::this_fiber::yield();
        BOOST_TEST(posix::write(input.b.get(), "x", 1) == 1);
        waiter.join();
        const pid_t child = ::fork();
        if (child == 0) {
            ::dup2(input.a.get(), 0);
            ::dup2(output.b.get(), 1);
            ::execlp("cat", "cat", static_cast<char*>(nullptr));
            ::_exit(127);
        }
        output.b.reset();
        posix::usleep(30'000);  // cat waits by now
        BOOST_TEST(posix::write(input.b.get(), "hello", 5) == 5);
        char buffer[16] = {};
        BOOST_TEST(posix::read(output.a.get(), buffer, sizeof buffer) == 5);
        BOOST_TEST(std::string(buffer) == "hello");
        BOOST_TEST(posix::close(input.b.release()) == 0);
        BOOST_TEST(posix::read(output.a.get(), buffer, sizeof buffer) == 0);
        int status = -1;
        BOOST_TEST(::waitpid(child, &status, 0) == child);
        BOOST_TEST(WIFEXITED(status));
        BOOST_TEST(WEXITSTATUS(status) == 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()
