// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/callers.hpp"

#include <boost/test/unit_test.hpp>

#include <pthread.h>
#include <time.h>
#include <chrono>

namespace coir::test {

struct made_mutex {
    explicit made_mutex(int kind, int protocol = PTHREAD_PRIO_NONE) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, kind);
        pthread_mutexattr_setprotocol(&attributes, protocol);
        BOOST_REQUIRE_EQUAL(pthread_mutex_init(&mutex, &attributes), 0);
        pthread_mutexattr_destroy(&attributes);
    }
    made_mutex(const made_mutex&) = delete;
    made_mutex& operator=(const made_mutex&) = delete;
    ~made_mutex() { BOOST_CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0); }
    pthread_mutex_t* operator&() noexcept { return &mutex; }

    pthread_mutex_t mutex;
};

// A number that somebody waits for, with the usual three.
struct awaited_number {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
    int value = 0;

    void set(int to) {
        pthread_mutex_lock(&mutex);
        value = to;
        pthread_mutex_unlock(&mutex);
        pthread_cond_signal(&changed);
    }
    void await(int expected) {
        pthread_mutex_lock(&mutex);
        while (value != expected) {
            COIR_MUST(pthread_cond_wait(&changed, &mutex) == 0);
        }
        pthread_mutex_unlock(&mutex);
    }
};

// The instant on a clock that lies so far ahead, as libc has it.
inline timespec after(clockid_t clock, std::chrono::milliseconds time) {
    timespec t{};
    clock_gettime(clock, &t);
    const std::chrono::nanoseconds sum =
        std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec) + time;
    return {static_cast<time_t>(sum.count() / 1'000'000'000), sum.count() % 1'000'000'000};
}

}  // namespace coir::test
