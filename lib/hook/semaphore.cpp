// SPDX-License-Identifier: BSL-1.0
// POSIX semaphores, unnamed and named. Threads wait in libc, fibers in a line of their own, and
// whoever posts adds to libc's count and then calls a fiber, which takes from that count like
// anybody else. A call wakes one; if somebody was faster, it waits on in its place.
//
// sem_post() is async-signal-safe: it may have interrupted, on its own thread, whoever works on the
// very line that it wants to look at. So who finds a line at work leaves it a note and goes, and
// whoever is at work does not stop before the note was dealt with:
//
//     free -> at_work             by whoever comes
//     at_work -> noted            by a post that finds it at work
//     noted -> at_work            by the one at work, who then looks at all who wait
//     at_work -> free             when there is no note
//
// The fiber is told through its carrier's inbox, which is lock-free.
//
// Signals: a wait without a deadline ends with EINTR after a handler that was installed without
// SA_RESTART, one with a deadline after any.
//
// Cancellation: a wait in a cancelled scope fails with ECANCELED, or ETIMEDOUT where a deadline was
// the cause, and has taken nothing. On a plain thread in a scope the thread looks for that every 10
// ms. Posts of other processes are looked for at a pace of 1, 2, 4 .. 32 ms.
#include "core/signal_line.hpp"
#include "hook/attribute_bit.hpp"
#include "hook/cancelled.hpp"
#include "hook/interpose.hpp"
#include "hook/lock_line.hpp"
#include "hook/order.hpp"
#include "hook/retry_pace.hpp"
#include "hook/time_limit.hpp"

#include <coir/wait_queue.hpp>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <new>

using namespace coir::hook::detail;
using coir::deadline;
using coir::wait_status;

namespace {

// One wait of one fiber, on its stack; while it stands in the line it is guarded by that.
struct waiting_for_semaphore {
    sem_t& semaphore;
    bool called = false;
    waiting_for_semaphore* previous = nullptr;
    waiting_for_semaphore* next = nullptr;
    coir::wait_queue parked = {};
};

// Those who wait for semaphores of one hash. Lockable, in ordinary code; post() is for handlers,
// too.
class alignas(64) semaphore_line {
public:
    constexpr semaphore_line() noexcept = default;

    void lock() noexcept {
        // Who is at work does not wait for anything, but may have lost its processor.
        while (!begin_work(std::memory_order_acquire)) {
            COIR_ORIGINAL(sched_yield)();
        }
    }

    void unlock() noexcept {
        for (;;) {
            std::uint8_t expected = at_work;
            if (state_.compare_exchange_strong(expected, free, std::memory_order_acq_rel)) {
                return;
            }
            state_.exchange(at_work, std::memory_order_acq_rel);
            call_all_that_may_pass();
        }
    }

    // After the semaphore was posted, which may be gone by now. Async-signal-safe.
    void posted(const sem_t* semaphore) noexcept {
        while (!begin_work(std::memory_order_acq_rel)) {
            std::uint8_t found = at_work;
            if (state_.compare_exchange_strong(found, noted, std::memory_order_acq_rel) ||
                (found == noted &&
                 state_.compare_exchange_strong(found, noted, std::memory_order_acq_rel))) {
                return;
            }
        }
        call_first(semaphore);
        unlock();
    }

    // With the lock held.

    void enter(waiting_for_semaphore& one) noexcept {
        one.previous = last_;
        (last_ != nullptr ? last_->next : first_) = &one;
        last_ = &one;
    }

    void leave(waiting_for_semaphore& one) noexcept {
        (one.previous != nullptr ? one.previous->next : first_) = one.next;
        (one.next != nullptr ? one.next->previous : last_) = one.previous;
    }

    void call_first(const sem_t* semaphore) noexcept {
        for (waiting_for_semaphore* one = first_; one != nullptr; one = one->next) {
            if (&one->semaphore == semaphore && !one->called) {
                call(*one);
                return;
            }
        }
    }

private:
    enum state : std::uint8_t { free, at_work, noted };

    bool begin_work(std::memory_order order) noexcept {
        std::uint8_t expected = free;
        return state_.compare_exchange_strong(expected, at_work, order, std::memory_order_relaxed);
    }

    // More than can pass may be called; who comes too late waits on.
    void call_all_that_may_pass() noexcept {
        for (waiting_for_semaphore* one = first_; one != nullptr; one = one->next) {
            int value = 0;
            if (!one->called && ::sem_getvalue(&one->semaphore, &value) == 0 && value > 0) {
                call(*one);
            }
        }
    }

    static void call(waiting_for_semaphore& one) noexcept {
        one.called = true;
        one.parked.claim_one().deliver_from_signal_handler();
    }

    static_assert(std::atomic<std::uint8_t>::is_always_lock_free &&
                  std::atomic<std::size_t>::is_always_lock_free);
    std::atomic<std::uint8_t> state_{free};
    waiting_for_semaphore* first_ = nullptr;
    waiting_for_semaphore* last_ = nullptr;
};

constexpr unsigned hash_bits = 6;
constinit semaphore_line lines[std::size_t{1} << hash_bits];
constinit std::atomic<std::size_t> waiting_in_all_lines{0};

semaphore_line& line_of(const sem_t* semaphore) noexcept {
    constexpr std::uint64_t golden_ratio = 0x9e37'79b9'7f4a'7c15;
    const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(semaphore));
    return lines[(address * golden_ratio) >> (64 - hash_bits)];
}

// A named one is open to other processes as well.
bool is_process_shared(const sem_t& semaphore) noexcept {
    const auto made = [](int process_shared) {
        sem_t one{};
        ::sem_init(&one, process_shared, 0);
        return one;
    };
    static const attribute_bit<sem_t> bit(made(1), made(0));
    return bit.is_set(semaphore);
}

int fail(int error) noexcept {
    errno = error;
    return -1;
}

// 0, or errno where it could not be taken: EAGAIN.
int try_to_take(sem_t& semaphore) noexcept {
    const int before = errno;
    const int error = ::sem_trywait(&semaphore) == 0 ? 0 : errno;
    errno = before;
    return error;
}

// The queues of a carrier need none.
struct no_lock {
    void lock() noexcept {}
    void unlock() noexcept {}
};

// Parks until called, or until a handler may have ended the wait. Meanwhile the line's lock is not
// held.
wait_status park(waiting_for_semaphore& self, semaphore_line& line, coir::wait_queue* handlers,
                 deadline until) noexcept {
    constexpr coir::wait_label label{"a semaphore of libc's", -1, true};
    if (handlers == nullptr) {
        return self.parked.park(line, until, label);
    }
    no_lock nothing;
    coir::wait_place called(self.parked, line);
    coir::wait_place interrupted(*handlers, nothing);
    coir::wait_place* const places[] = {&called, &interrupted};
    const wait_status status =
        coir::wait_queue::park_in_all(places, std::size(places), line, until, label);
    line.lock();
    return status;
}

// signal(7): which handlers end it.
coir::detail::ended_by signals_that_end(const time_limit& until) noexcept {
    using coir::detail::ended_by;
    return until.is_never() ? ended_by::handlers_without_restart : ended_by::any_handler;
}

// 0, EINTR, ETIMEDOUT, EINVAL or the error of a cancellation.
int wait_in_fiber(sem_t& semaphore, const time_limit& until) noexcept {
    int result = until.is_valid() ? try_to_take(semaphore) : EINVAL;
    if (result != EAGAIN) {
        return result;
    }
    const bool polled = is_process_shared(semaphore);
    retry_pace pace;
    semaphore_line& line = line_of(&semaphore);
    waiting_for_semaphore self{semaphore};
    std::unique_lock guard(line);
    waiting_in_all_lines.fetch_add(1, std::memory_order_seq_cst);  // before it tries
    line.enter(self);
    order_before_next_step();
    const auto signals = signals_that_end(until);
    coir::detail::signal_watch watch;
    watch.begin();
    auto status = wait_status::notified;
    for (;;) {
        if (status == wait_status::cancelled) {
            result = ECANCELED;
            break;
        }
        result = try_to_take(semaphore);
        if (result != EAGAIN) {
            break;
        }
        if (until.has_passed()) {
            result = ETIMEDOUT;
            break;
        }
        if (watch.is_over(signals)) {
            result = EINTR;
            break;
        }
        self.called = false;
        const deadline next_look = until.next_look();
        status = park(self, line, watch.queue(signals),
                      polled ? std::min(next_look, deadline::after(pace.next_pause())) : next_look);
    }
    if (result != 0 && self.called) {
        line.call_first(&semaphore);  // it was us that had been called
    }
    line.leave(self);
    waiting_in_all_lines.fetch_sub(1, std::memory_order_relaxed);
    guard.unlock();
    if (status == wait_status::cancelled) {
        const int error = error_of_cancellation();
        return error != 0 ? error : ECANCELED;
    }
    return result;
}

// On a plain thread in a scope.
int wait_in_thread(sem_t& semaphore, const time_limit& until) noexcept {
    coir::detail::signal_watch watch;
    watch.begin();
    for (;;) {
        const timespec look = instant_after(CLOCK_REALTIME, std::chrono::milliseconds(10));
        const int before = errno;
        const int error = COIR_ORIGINAL(sem_timedwait)(&semaphore, &look) == 0 ? 0 : errno;
        errno = before;
        if (error == EINTR && !watch.is_over(signals_that_end(until))) {
            continue;
        }
        if (error != ETIMEDOUT) {
            return error;
        }
        if (until.has_passed()) {
            return ETIMEDOUT;
        }
        if (const int why = error_of_cancellation(); why != 0) {
            return why;
        }
    }
}

// In a child of a fork(2) nobody waits, and who was at work is not there.
[[gnu::constructor]] void follow_forks() noexcept {
    ::pthread_atfork(nullptr, nullptr, [] {
        for (semaphore_line& line : lines) {
            ::new (&line) semaphore_line;
        }
        waiting_in_all_lines.store(0, std::memory_order_relaxed);
    });
}

int wait(sem_t& semaphore, const time_limit& until) noexcept {
    int error = error_of_cancellation();
    if (error == 0) {
        error = coir::detail::who_calls().may_park ? wait_in_fiber(semaphore, until)
                                                   : wait_in_thread(semaphore, until);
    } else {
        spend_budget();  // a loop around this call must not keep others from running
    }
    return error == 0 ? 0 : fail(error);
}

}  // namespace

COIR_HOOK int sem_wait(sem_t* semaphore) {
    return takes_call() ? wait(*semaphore, time_limit()) : COIR_ORIGINAL(sem_wait)(semaphore);
}

COIR_HOOK int sem_timedwait(sem_t* semaphore, const timespec* until) {
    return takes_call() ? wait(*semaphore, time_limit(CLOCK_REALTIME, *until))
                        : COIR_ORIGINAL(sem_timedwait)(semaphore, until);
}

COIR_HOOK int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* until) {
    return takes_call() ? wait(*semaphore, time_limit(clock, *until))
                        : COIR_ORIGINAL(sem_clockwait)(semaphore, clock, until);
}

COIR_HOOK int sem_post(sem_t* semaphore) noexcept {
    const int result = COIR_ORIGINAL(sem_post)(semaphore);
    order_before_next_step();
    if (waiting_in_all_lines.load(std::memory_order_relaxed) != 0) {
        line_of(semaphore).posted(semaphore);
    }
    return result;
}
