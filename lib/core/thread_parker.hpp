// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>

#include <pthread.h>

namespace coir::detail {

// Blocks a plain thread until it is unparked or a deadline passes: what a wait is when no fiber
// makes it. Each thread has one, and uses it for one wait at a time; each park() that returns true
// takes exactly one unpark().
//
// pthread's condition variable on the monotonic clock, and not std::condition_variable, whose waits
// ThreadSanitizer does not follow (GCC 12).
class thread_parker {
public:
    static thread_parker& of_this_thread();

    thread_parker();
    thread_parker(const thread_parker&) = delete;
    thread_parker& operator=(const thread_parker&) = delete;
    ~thread_parker();

    // False if the deadline passed first.
    bool park(deadline until) noexcept;

    // Any thread. Signals with the mutex held: the thread that waits cannot leave park(), and
    // perhaps end, before the mutex was given up, after which nothing of the parker is touched
    // here.
    void unpark() noexcept;

private:
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t changed_;
    bool unparked_ = false;
};

}  // namespace coir::detail
