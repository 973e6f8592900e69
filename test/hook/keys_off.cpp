// SPDX-License-Identifier: BSL-1.0
// pthread's keys as long as nobody has asked for fiber-local ones, and then.
#include "hook/callers.hpp"
#include "hook/error_queue.hpp"

#include <coir/hook/hook.hpp>
#include <coir/this_fiber.hpp>

#include <pthread.h>

using namespace coir::test;

BOOST_AUTO_TEST_SUITE(keys_of_threads)

// Which is what there is the option for.
BOOST_AUTO_TEST_CASE(without_the_option_fibers_read_each_others_errors) {
    const auto [first, second] = errors_read_by_two_fibers();
    BOOST_TEST(first == "12");
    BOOST_TEST(second == "");
}

BOOST_AUTO_TEST_CASE(keys_are_fiber_local_from_when_a_program_asks_for_it) {
    pthread_key_t before;
    pthread_key_create(&before, nullptr);
    coir::hook::use_fiber_local_keys();
    pthread_key_t after;
    pthread_key_create(&after, nullptr);
    int mine = 0;
    in_fibers(
        [&] {
            pthread_setspecific(before, &mine);
            pthread_setspecific(after, &mine);
            coir::this_fiber::yield();
        },
        [&] {
            BOOST_TEST(pthread_getspecific(before) == &mine);
            BOOST_TEST(pthread_getspecific(after) == nullptr);
        });
    pthread_key_delete(before);
    pthread_key_delete(after);
}

BOOST_AUTO_TEST_SUITE_END()
