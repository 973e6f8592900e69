// SPDX-License-Identifier: BSL-1.0
// pthread's keys with a value for each fiber: COIR_HOOK says keys.
#include "hook/callers.hpp"
#include "hook/error_queue.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber_local.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

using namespace coir::test;
using namespace std::chrono_literals;
using coir::run;

namespace {

void* pointer(std::intptr_t value) { return reinterpret_cast<void*>(value); }

std::vector<std::intptr_t> destroyed;
void note_destroyed(void* value) { destroyed.push_back(reinterpret_cast<std::intptr_t>(value)); }

// What was made before coir::hook had read its environment, as other libraries' constructors may.
pthread_key_t early_key;
[[gnu::constructor(101)]] void make_early_key() { pthread_key_create(&early_key, nullptr); }

pthread_key_t stubborn_key;
int rounds = 0;
void set_again(void* value) {
    ++rounds;
    pthread_setspecific(stubborn_key, value);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fiber_local_keys)

BOOST_AUTO_TEST_CASE(fibers_read_their_own_errors_of_openssl) {
    const auto [first, second] = errors_read_by_two_fibers();
    BOOST_TEST(first == "1");
    BOOST_TEST(second == "2");
}

BOOST_AUTO_TEST_CASE(each_fiber_and_each_thread_has_its_own_value) {
    pthread_key_t key;
    pthread_key_create(&key, nullptr);
    pthread_setspecific(key, pointer(1));
    for (const cast& company : casts) {
        const auto part = [&] {
            COIR_MUST(pthread_getspecific(key) == nullptr);
            int mine = 0;
            COIR_MUST(pthread_setspecific(key, &mine) == 0);
            coir::this_fiber::sleep_for(1ms);
            COIR_MUST(pthread_getspecific(key) == &mine);
        };
        company.play(part, part);
    }
    BOOST_TEST(pthread_getspecific(key) == pointer(1));
    pthread_key_delete(key);
}

BOOST_AUTO_TEST_CASE(values_are_destroyed_on_their_fiber_when_it_ends) {
    destroyed.clear();
    pthread_key_t key;
    pthread_key_create(&key, [](void* value) {
        coir::this_fiber::yield();  // it may wait
        note_destroyed(value);
    });
    run([&] {
        coir::fiber one([&] { pthread_setspecific(key, pointer(1)); });
        coir::fiber two([&] { pthread_setspecific(key, pointer(2)); });
        coir::fiber none([&] { pthread_setspecific(key, nullptr); });
        one.join();
        two.join();
        none.join();
        BOOST_TEST(destroyed == (std::vector<std::intptr_t>{1, 2}),
                   boost::test_tools::per_element());
        pthread_setspecific(key, pointer(3));
    });
    BOOST_TEST(destroyed.size() == 3U);  // the main fiber's, too
    pthread_key_delete(key);
}

BOOST_AUTO_TEST_CASE(what_destructors_set_is_destroyed_in_some_rounds_and_no_more) {
    rounds = 0;
    pthread_key_create(&stubborn_key, set_again);
    in_fibers([] { pthread_setspecific(stubborn_key, pointer(1)); }, [] {});
    BOOST_TEST(rounds == PTHREAD_DESTRUCTOR_ITERATIONS);
    pthread_key_delete(stubborn_key);
}

// They come to be older or newer than the fiber's keys in the list of what it has.
BOOST_AUTO_TEST_CASE(values_and_fiber_local_variables_may_use_each_other_to_the_end) {
    destroyed.clear();
    static pthread_key_t key;
    pthread_key_create(&key, note_destroyed);
    struct sets_at_its_end {
        ~sets_at_its_end() { pthread_setspecific(key, pointer(8)); }
    };
    static const coir::fiber_local<sets_at_its_end> older;
    static const coir::fiber_local<sets_at_its_end> newer;
    in_fibers(
        [] {
            older.get();
            pthread_setspecific(key, pointer(7));
            newer.get();
        },
        [] {});
    BOOST_TEST(destroyed == (std::vector<std::intptr_t>{8, 8}), boost::test_tools::per_element());
    pthread_key_delete(key);
}

BOOST_AUTO_TEST_CASE(the_next_key_of_the_same_number_finds_nothing) {
    destroyed.clear();
    run([] {
        pthread_key_t key;
        pthread_key_create(&key, note_destroyed);
        pthread_setspecific(key, pointer(1));
        pthread_key_delete(key);
        pthread_key_t next;
        pthread_key_create(&next, note_destroyed);
        BOOST_REQUIRE_EQUAL(next, key);
        BOOST_TEST(pthread_getspecific(next) == nullptr);
        pthread_key_delete(next);
    });
    BOOST_TEST(destroyed.empty());  // POSIX: who deletes a key sees to its values himself
}

BOOST_AUTO_TEST_CASE(a_key_that_was_made_before_has_one_value_a_thread) {
    pthread_setspecific(early_key, pointer(1));
    in_fibers(
        [] {
            BOOST_TEST(pthread_getspecific(early_key) == pointer(1));
            pthread_setspecific(early_key, pointer(2));
        },
        [] { BOOST_TEST(pthread_getspecific(early_key) == pointer(2)); });
    BOOST_TEST(pthread_getspecific(early_key) == pointer(2));
}

BOOST_AUTO_TEST_CASE(what_is_no_key_is_libcs_affair) {
    run([] {
        BOOST_TEST(pthread_getspecific(PTHREAD_KEYS_MAX + 1) == nullptr);
        BOOST_TEST(pthread_setspecific(PTHREAD_KEYS_MAX + 1, nullptr) == EINVAL);
        BOOST_TEST(pthread_key_delete(PTHREAD_KEYS_MAX + 1) == EINVAL);
    });
}

BOOST_AUTO_TEST_CASE(the_child_of_a_fork_has_the_values_of_the_fiber_that_has_forked) {
    pthread_key_t key;
    pthread_key_create(&key, nullptr);
    run([&] {
        pthread_setspecific(key, pointer(1));
        coir::fiber forking([&] {
            pthread_setspecific(key, pointer(2));
            const pid_t child = ::fork();
            if (child == 0) {
                ::_exit(pthread_getspecific(key) == pointer(2) ? 0 : 1);
            }
            int status = -1;
            ::waitpid(child, &status, 0);
            BOOST_TEST(status == 0);
        });
        forking.join();
    });
    pthread_key_delete(key);
}

BOOST_AUTO_TEST_CASE(storage_of_c11_is_the_same) {
    tss_t key;
    destroyed.clear();
    BOOST_TEST(tss_create(&key, note_destroyed) == thrd_success);
    const auto part = [&] {
        BOOST_TEST(tss_get(key) == nullptr);
        BOOST_TEST(tss_set(key, pointer(5)) == thrd_success);
        coir::this_fiber::yield();
        BOOST_TEST(tss_get(key) == pointer(5));
    };
    in_fibers(part, part);
    BOOST_TEST(destroyed.size() == 2U);
    tss_delete(key);
}

BOOST_AUTO_TEST_SUITE_END()
