// SPDX-License-Identifier: BSL-1.0
// What belongs to a fiber and is switched with it: the exceptions that it has caught or that unwind
// it, and errno.
#include "support/fiber_test.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using coir::fiber;
using coir::this_fiber::yield;

std::string text_of_current_exception() {
    try {
        throw;
    } catch (const std::exception& e) {
        return e.what();
    }
}

struct yields_when_destroyed {
    ~yields_when_destroyed() {
        uncaught_before = std::uncaught_exceptions();
        yield();
        uncaught_after = std::uncaught_exceptions();
    }
    int& uncaught_before;
    int& uncaught_after;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(scheduler_globals)

FIBER_TEST_CASE(a_catch_block_that_waits_still_has_its_exception_afterwards) {
    std::vector<std::string> seen;
    const auto catch_and_yield = [&](const char* text) {
        for (int i = 0; i < 3; ++i) {
            try {
                throw std::runtime_error(text);
            } catch (const std::runtime_error&) {
                yield();
                seen.push_back(text_of_current_exception());
            }
        }
    };
    fiber a(catch_and_yield, "a");
    fiber b(catch_and_yield, "b");
    a.join();
    b.join();
    BOOST_TEST(seen == (std::vector<std::string>{"a", "b", "a", "b", "a", "b"}),
               boost::test_tools::per_element());
}

FIBER_TEST_CASE(catch_blocks_may_be_left_in_another_order_than_entered) {
    coir::wait_queue leave_a;
    coir::wait_queue leave_b;
    std::string left;
    const auto wait_in_catch = [&](coir::wait_queue& until, const char* text) {
        try {
            throw std::runtime_error(text);
        } catch (const std::runtime_error& e) {
            until.park();
            left += e.what();
        }
        BOOST_TEST(!std::current_exception());
    };
    fiber a([&] { wait_in_catch(leave_a, "a"); });
    fiber b([&] { wait_in_catch(leave_b, "b"); });
    yield();
    leave_a.unpark_one();
    yield();
    leave_b.unpark_one();
    yield();
    BOOST_TEST(left == "ab");
    a.join();
    b.join();
}

FIBER_TEST_CASE(a_fiber_starts_with_no_exception_even_if_it_moves_in_after_a_catch_block) {
    bool clean = false;
    try {
        throw std::runtime_error("of the spawner");
    } catch (const std::runtime_error&) {
        fiber a([] {});
        fiber b([&] { clean = !std::current_exception() && std::uncaught_exceptions() == 0; });
        b.join();
        BOOST_TEST(text_of_current_exception() == "of the spawner");
        a.join();
    }
    BOOST_TEST(clean);
}

FIBER_TEST_CASE(a_destructor_may_wait_during_unwinding) {
    int before_a = -1;
    int after_a = -1;
    int before_b = -1;
    int after_b = -1;
    const auto unwind = [](int& before, int& after) {
        try {
            const yields_when_destroyed waits{before, after};
            throw std::runtime_error("unwinding");
        } catch (const std::runtime_error&) {
            BOOST_TEST(std::uncaught_exceptions() == 0);
        }
    };
    fiber a([&] { unwind(before_a, after_a); });
    fiber b([&] { unwind(before_b, after_b); });
    fiber c([] {
        for (int i = 0; i < 4; ++i) {
            BOOST_TEST(std::uncaught_exceptions() == 0);
            yield();
        }
    });
    a.join();
    b.join();
    c.join();
    BOOST_TEST(before_a == 1);
    BOOST_TEST(after_a == 1);
    BOOST_TEST(before_b == 1);
    BOOST_TEST(after_b == 1);
}

FIBER_TEST_CASE(an_exception_may_be_rethrown_after_a_wait) {
    fiber f([] {
        try {
            throw std::runtime_error("first");
        } catch (...) {
            yield();
            throw;
        }
    });
    fiber other([] {
        try {
            throw std::logic_error("other");
        } catch (...) {
            yield();
            yield();
        }
    });
    BOOST_CHECK_EXCEPTION(f.join(), std::runtime_error, [](const std::runtime_error& e) {
        return e.what() == std::string("first");
    });
    other.join();
}

FIBER_TEST_CASE(errno_belongs_to_the_fiber) {
    const auto keep_errno = [](int mine) {
        for (int i = 0; i < 5; ++i) {
            errno = mine + i;
            yield();
            BOOST_TEST(errno == mine + i);
            errno = mine + i;
            coir::this_fiber::sleep_for(std::chrono::milliseconds(1));
            BOOST_TEST(errno == mine + i);
        }
    };
    fiber a(keep_errno, 1000);
    fiber b(keep_errno, 2000);
    keep_errno(3000);
    a.join();
    b.join();
}

FIBER_TEST_CASE(a_fiber_starts_with_errno_zero) {
    errno = EBADF;
    int first = -1;
    int moved_in = -1;
    fiber a([&] {
        first = errno;
        errno = EIO;
    });
    fiber b([&] { moved_in = errno; });
    b.join();
    BOOST_TEST(first == 0);
    BOOST_TEST(moved_in == 0);
    a.join();
}

BOOST_AUTO_TEST_SUITE_END()
