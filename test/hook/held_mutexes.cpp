// SPDX-License-Identifier: BSL-1.0
// Mutexes that a fiber holds while it parks are reported: COIR_HOOK says held-mutexes.
#include "hook/callers.hpp"
#include "hook/stderr_of.hpp"

#include <coir/this_fiber.hpp>

#include <pthread.h>
#include <unistd.h>
#include <chrono>
#include <functional>
#include <mutex>
#include <sstream>
#include <string>

using namespace coir::test;
using namespace std::chrono_literals;

namespace {

std::string address_of(const void* object) {
    std::ostringstream text;
    text << object;
    return text.str();
}

void in_fiber(const std::string& name, const std::function<void()>& body) {
    coir::run([&] {
        coir::fiber one({name}, body);
        one.join();
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(held_mutexes)

BOOST_AUTO_TEST_CASE(a_mutex_that_is_held_while_its_fiber_parks_is_reported_once) {
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    const std::string text = stderr_of([&] {
        in_fiber("careless", [&] {
            for (int i = 0; i < 3; ++i) {
                pthread_mutex_lock(&m);
                coir::this_fiber::sleep_for(1ms);
                pthread_mutex_unlock(&m);
            }
        });
    });
    BOOST_TEST(count(text, "fiber 'careless' holds the pthread mutex " + address_of(&m)) == 1U);
    BOOST_TEST(count(text, "holds") == 1U);
    BOOST_TEST(count(text, "hook_held_mutexes(") >= 2U, text);  // where it was locked, and waits
}

BOOST_AUTO_TEST_CASE(one_of_std_as_well) {
    std::recursive_mutex m;
    const std::string text = stderr_of([&] {
        in_fiber("recursive", [&] {
            const std::lock_guard once(m);
            { const std::lock_guard twice(m); }
            ::usleep(1000);
        });
    });
    BOOST_TEST(count(text, "fiber 'recursive' holds") == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_not_held_any_more_is_not_reported) {
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    const std::string text = stderr_of([&] {
        in_fiber("careful", [&] {
            pthread_mutex_lock(&m);
            pthread_mutex_unlock(&m);
            coir::this_fiber::sleep_for(1ms);
            BOOST_TEST(pthread_mutex_trylock(&m) == 0);
            const timespec at_once{1, 0};
            pthread_cond_timedwait(&c, &m, &at_once);
            const timespec soon{std::time(nullptr) + 1, 0};
            pthread_cond_timedwait(&c, &m, &soon);  // which gives the mutex up
            pthread_mutex_unlock(&m);
            pthread_mutex_lock(&held);
            coir::this_fiber::yield();  // that is no wait
            pthread_mutex_unlock(&held);
        });
    });
    BOOST_TEST(text == "");
}

BOOST_AUTO_TEST_SUITE_END()
