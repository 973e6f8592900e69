// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sched.h>
#include <sys/types.h>

namespace coir::test {

// Sees a thread fall asleep in the kernel, for tests in which somebody must be asleep before he is
// woken, and which would otherwise pause and hope:
//
//     const watched_thread carrier;          // the calling thread
//     std::thread waker([&] {
//         carrier.await_asleep();
//         queue.unpark_one();
//     });
//     queue.park(lock);
//
// It sees *that* a thread sleeps, and not in what: a thread that meets a taken mutex on its way
// looks the same. So what a test claims must hold in either order; this makes it meet the one that
// it is about. Where there is no /proc the order is left to chance.
class watched_thread {
public:
    watched_thread() noexcept;

    // Returns when the thread sleeps. Another thread's call, of course.
    void await_asleep() const noexcept {
        while (!asleep_or_unknown()) {
            ::sched_yield();
        }
    }

private:
    bool asleep_or_unknown() const noexcept;

    const pid_t id_;
};

}  // namespace coir::test
