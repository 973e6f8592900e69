// SPDX-License-Identifier: BSL-1.0
// What run() takes from the system it gives back, however it ends.
#include <coir/run.hpp>

#include "reactor/wait_io.hpp"
#include "support/captured_log.hpp"
#include "support/descriptors.hpp"
#include "support/system_calls.hpp"

#include <coir/blocking.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <set>
#include <stdexcept>
#include <system_error>

using coir::deadline;
using coir::fiber;
using coir::run;
using coir::detail::descriptor_kind;
using coir::detail::direction;
using coir::detail::system_calls;
using coir::detail::wait_io;
using coir::test::failing_with;
using coir::test::pipe_ends;
using coir::test::put;
using coir::test::replace_system_call;

namespace {

// Which of the first thousand descriptor numbers are open. Portable, unlike /proc/self/fd.
std::set<int> open_descriptors() {
    std::set<int> numbers;
    for (int number = 0; number < 1000; ++number) {
        if (::fcntl(number, F_GETFD) >= 0) {
            numbers.insert(number);
        }
    }
    return numbers;
}

void wait_for_a_byte(const descriptor_kind kind) {
    const pipe_ends pipe;
    fiber reader([&] {
        BOOST_TEST(wait_io({pipe.read.get(), direction::read, kind}, deadline::never()).ready());
    });
    coir::this_fiber::yield();
    put(pipe.write);
    reader.join();
    coir::detail::io_forget(pipe.read.get());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(descriptors_of_run)

BOOST_AUTO_TEST_CASE(a_run_leaves_none_open) {
    run([] {});  // whatever is opened once and kept
    const auto before = open_descriptors();
    for (int i = 0; i < 3; ++i) {
        run([] {
            wait_for_a_byte(descriptor_kind::owned);
            wait_for_a_byte(descriptor_kind::foreign);
            coir::run_blocking([] {});
        });
        BOOST_TEST((open_descriptors() == before));
    }
}

BOOST_AUTO_TEST_CASE(a_run_that_ends_by_an_exception_leaves_none_open) {
    const auto before = open_descriptors();
    BOOST_CHECK_THROW(run([] {
                          wait_for_a_byte(descriptor_kind::owned);
                          throw std::runtime_error("out");
                      }),
                      std::runtime_error);
    BOOST_TEST((open_descriptors() == before));
}

BOOST_AUTO_TEST_CASE(a_run_that_ends_by_a_deadlock_leaves_none_open) {
    const coir::test::captured_log log;
    const auto before = open_descriptors();
    BOOST_CHECK_THROW(run([] {
                          coir::wait_queue queue;
                          queue.park();
                      }),
                      coir::deadlock_error);
    BOOST_TEST((open_descriptors() == before));
}

BOOST_AUTO_TEST_CASE(a_run_that_cannot_start_leaves_none_open) {
    const auto before = open_descriptors();
    coir::run_options no_stack;
    no_stack.stack_size = 1;
    BOOST_CHECK_THROW(run(no_stack, [] {}), std::invalid_argument);
    BOOST_TEST((open_descriptors() == before));
#ifdef __linux__
    {
        const replace_system_call<&system_calls::eventfd> guard(failing_with(EMFILE));
        BOOST_CHECK_THROW(run([] {}), std::system_error);
    }
    BOOST_TEST((open_descriptors() == before));
    {
        const replace_system_call<&system_calls::epoll_ctl> guard(failing_with(ENOSPC));
        try {
            run([] {});  // works on poll
        } catch (const std::system_error& error) {
            BOOST_TEST((error.code() == std::errc::no_space_on_device));
        }
    }
    BOOST_TEST((open_descriptors() == before));
#endif
}

BOOST_AUTO_TEST_CASE(what_it_opens_is_closed_on_exec) {
    const auto before = open_descriptors();
    run([&] {
        wait_for_a_byte(descriptor_kind::foreign);
        int opened = 0;
        for (const int number : open_descriptors()) {
            if (before.count(number) == 0) {
                ++opened;
                BOOST_TEST((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
            }
        }
        BOOST_TEST(opened > 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()
