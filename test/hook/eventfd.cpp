// SPDX-License-Identifier: BSL-1.0
// eventfd_read and eventfd_write, which read and write inside libc.
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/timeout.hpp>

#include "base/unique_fd.hpp"

#include <sys/eventfd.h>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>

using coir::detail::unique_fd;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(eventfds)

BOOST_AUTO_TEST_CASE(who_reads_a_number_waits_until_one_is_written) {
    coir::run([] {
        const unique_fd event(::eventfd(0, EFD_CLOEXEC));
        eventfd_t found = 0;
        coir::fiber reader([&] { BOOST_TEST(::eventfd_read(event.get(), &found) == 0); });
        coir::fiber writer([&] { BOOST_TEST(::eventfd_write(event.get(), 42) == 0); });
        reader.join();
        writer.join();
        BOOST_TEST(found == 42u);
    });
}

BOOST_AUTO_TEST_CASE(who_writes_one_waits_until_there_is_room) {
    coir::run([] {
        const unique_fd event(::eventfd(0, EFD_CLOEXEC));
        BOOST_TEST(::eventfd_write(event.get(), ~eventfd_t{1}) == 0);
        coir::fiber writer([&] { BOOST_TEST(::eventfd_write(event.get(), 3) == 0); });
        coir::fiber reader([&] {
            eventfd_t found = 0;
            BOOST_TEST(::eventfd_read(event.get(), &found) == 0);
            BOOST_TEST(found == ~eventfd_t{1});
        });
        writer.join();
        reader.join();
        eventfd_t found = 0;
        BOOST_TEST(::eventfd_read(event.get(), &found) == 0);
        BOOST_TEST(found == 3u);
    });
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_the_wait_and_what_is_wrong_is_told) {
    coir::run([] {
        const unique_fd event(::eventfd(0, EFD_CLOEXEC));
        const unique_fd impatient(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        eventfd_t found = 0;
        coir::try_for(2ms, [&] {
            BOOST_TEST(::eventfd_read(event.get(), &found) == -1);
            BOOST_TEST(errno == ETIMEDOUT);
        });
        BOOST_TEST(::eventfd_read(impatient.get(), &found) == -1);
        BOOST_TEST(errno == EAGAIN);
        BOOST_TEST(::eventfd_read(-1, &found) == -1);
        BOOST_TEST(errno == EBADF);
        BOOST_TEST(::eventfd_write(event.get(), ~eventfd_t{0}) == -1);
        BOOST_TEST(errno == EINVAL);
    });
}

BOOST_AUTO_TEST_SUITE_END()
