// SPDX-License-Identifier: BSL-1.0
// An allocator that is a library of its own: it must not be left in the middle of its work.
#include "hook/callers.hpp"

#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <pthread.h>
#include <chrono>

extern "C" int lock_in_allocator(pthread_mutex_t* mutex);

using namespace coir::test;
using namespace std::chrono_literals;

namespace {

// How often another fiber of the thread runs while one locks what a thread holds for some time.
int turns_of_others_during(int (*lock)(pthread_mutex_t*)) {
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    coir::event locked;
    bool waiting = false;
    int turns = 0;
    coir::run([&] {
        std::thread owner([&] {
            pthread_mutex_lock(&m);
            locked.set();
            std::this_thread::sleep_for(50ms);
            pthread_mutex_unlock(&m);
        });
        locked.wait();
        coir::fiber other([&] {
            for (;;) {
                coir::this_fiber::sleep_for(1ms);
                turns += waiting ? 1 : 0;
            }
        });
        coir::this_fiber::yield();
        waiting = true;
        BOOST_TEST(lock(&m) == 0);
        waiting = false;
        pthread_mutex_unlock(&m);
        owner.join();
    });
    return turns;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(allocators)

BOOST_AUTO_TEST_CASE(a_lock_of_the_allocators_blocks_the_thread) {
    const time_bomb limit;
    BOOST_TEST(turns_of_others_during(lock_in_allocator) == 0);
}

BOOST_AUTO_TEST_CASE(any_other_lock_does_not) {
    const time_bomb limit;
    BOOST_TEST(turns_of_others_during(pthread_mutex_lock) > 5);
}

BOOST_AUTO_TEST_SUITE_END()
