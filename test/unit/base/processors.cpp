// SPDX-License-Identifier: BSL-1.0
#include "base/processors.hpp"

#include "support/system_calls.hpp"

#include <sched.h>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <thread>

using coir::detail::available_processors;
using coir::detail::system_calls;
using coir::test::replace_system_call;

BOOST_AUTO_TEST_SUITE(processors)

BOOST_AUTO_TEST_CASE(there_is_at_least_the_one_that_runs_this) {
    BOOST_TEST(available_processors() >= 1U);
}

#ifdef __linux__
BOOST_AUTO_TEST_CASE(a_thread_that_is_pinned_has_one) {
    std::size_t there = 0;
    std::thread([&there] {
        cpu_set_t mask;
        BOOST_REQUIRE_EQUAL(::sched_getaffinity(0, sizeof mask, &mask), 0);
        int first = 0;
        while (!CPU_ISSET(first, &mask)) {
            ++first;
        }
        CPU_ZERO(&mask);
        CPU_SET(first, &mask);
        BOOST_REQUIRE_EQUAL(::sched_setaffinity(0, sizeof mask, &mask), 0);
        there = available_processors();
    }).join();
    BOOST_TEST(there == 1U);
}

BOOST_AUTO_TEST_CASE(where_the_kernel_has_more_than_a_mask_has_room_for_the_library_is_asked) {
    const replace_system_call<&system_calls::sched_getaffinity> too_many(
        [](pid_t, std::size_t, cpu_set_t*) {
            errno = EINVAL;
            return -1;
        });
    errno = 0;
    BOOST_TEST(available_processors() >= 1U);
    BOOST_TEST(errno == 0);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
