// SPDX-License-Identifier: BSL-1.0
// A child of fork(2) is a plain thread on a fiber's stack.
#include "base/unique_fd.hpp"
#include "reactor/wait_io.hpp"
#include "support/child_process.hpp"
#include "support/descriptors.hpp"

#include <coir/blocking.hpp>
#include <coir/fiber.hpp>
#include <coir/fiber_local.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <thread>

using namespace coir::test;
using namespace std::chrono_literals;

namespace {

// The exit status; 1000 and more for a signal. The carrier goes on meanwhile.
int end_of(pid_t child) {
    return coir::run_blocking([child] {
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forks)

BOOST_AUTO_TEST_CASE(what_waits_in_a_child_blocks_it_and_lets_no_fiber_run) {
    coir::run([] {
        int ticks = 0;
        coir::fiber other([&] {
            for (;;) {
                coir::this_fiber::sleep_for(1ms);
                ++ticks;
            }
        });
        const pipe_ends pipe;
        coir::this_fiber::sleep_for(5ms);
        const pid_t child = child_process([&] {
            const int before = ticks;
            coir::this_fiber::sleep_for(20ms);
            using namespace coir::detail;
            const io_interest reading{pipe.read.get(), direction::read, descriptor_kind::owned};
            const auto ready = wait_io(reading, coir::deadline::after(20ms));
            const auto here = std::this_thread::get_id();
            const bool inline_call =
                coir::run_blocking([&] { return std::this_thread::get_id() == here; });
            const bool in_time = coir::try_for(10ms, [] { coir::this_fiber::sleep_for(1h); });
            return (ticks != before ? 1 : 0) +
                   (ready.status != coir::wait_status::timed_out ? 2 : 0) + (inline_call ? 0 : 4) +
                   (in_time ? 8 : 0);
        });
        BOOST_TEST(end_of(child) == 0);
        BOOST_TEST(ticks > 5);
    });
}

BOOST_AUTO_TEST_CASE(a_fibers_values_are_its_childs) {
    static coir::fiber_local<int> number;
    coir::run([] {
        coir::fiber forks([] {
            *number = 7;
            const pid_t child = child_process([] { return *number; });
            BOOST_TEST(end_of(child) == 7);
        });
        forks.join();
    });
}

BOOST_AUTO_TEST_CASE(an_exception_that_escapes_a_childs_fiber_ends_it_as_a_threads_does) {
    coir::run([] {
        pid_t child = 0;
        coir::fiber forks([&] {
            child = ::fork();
            if (child == 0) {
                const rlimit none{0, 0};
                ::setrlimit(RLIMIT_CORE, &none);
                ::close(STDERR_FILENO);
                throw std::runtime_error("in the child");
            }
        });
        forks.join();
        BOOST_TEST(end_of(child) == 1000 + SIGABRT);
    });
}

// What closes descriptors looks for reactors that wait for them.
BOOST_AUTO_TEST_CASE(a_childs_close_is_not_its_parents) {
    coir::run([] {
        using namespace coir::detail;
        const pipe_ends pipe;
        bool ready = false;
        coir::fiber reader([&] {
            ready = wait_io({pipe.read.get(), direction::read, descriptor_kind::foreign},
                            coir::deadline::never())
                        .ready();
        });
        coir::this_fiber::sleep_for(1ms);
        const pid_t child = child_process([&] { return io_close(pipe.read.get()); });
        BOOST_TEST(end_of(child) == 0);
        BOOST_TEST(!ready);
        put(pipe.write);
        reader.join();
        BOOST_TEST(ready);
    });
}

BOOST_AUTO_TEST_SUITE_END()
