// SPDX-License-Identifier: BSL-1.0
// pthread's rwlocks. As with mutexes libc's lock stays what it is, and a writer is a thread to it.
// A fiber that does not get it stands in line (lock_line.hpp). The writer's fiber is noted in
// __pad3, which libc does not use, so that another fiber of that thread waits, where libc would say
// EDEADLK to what is the writer's thread; to the writer itself it is still said.
//
// libc does not know of a fiber that waits to write, and goes on letting threads read. A fiber does
// not overtake it, if the lock was made with PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP; by
// default readers may read again whoever waits, so they have to be let in.
#include "hook/interpose.hpp"
#include "hook/lock_line.hpp"
#include "hook/lock_owner.hpp"
#include "hook/thread_id.hpp"

#include <pthread.h>
#include <cerrno>

using namespace coir::hook::detail;
using coir::detail::calling_fiber;

namespace {

class rwlock_view {
public:
    explicit rwlock_view(pthread_rwlock_t& l) noexcept : lock_(l.__data) {
        static_assert(sizeof l.__data.__pad3 == sizeof(owner_tag));
    }

    bool is_written_by_this_thread() const noexcept {
        return __atomic_load_n(&lock_.__cur_writer, __ATOMIC_RELAXED) == thread_id();
    }
    bool prefers_writers() const noexcept {
        return lock_.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
    }
    bool is_process_shared() const noexcept { return lock_.__shared != 0; }

    // While this thread writes.
    owner_tag& tag() const noexcept { return lock_.__pad3; }

private:
    decltype(pthread_rwlock_t::__data)& lock_;
};

class contended_rwlock final : public contended_lock {
public:
    contended_rwlock(pthread_rwlock_t& l, const calling_fiber& self, use wanted) noexcept
        : contended_lock(&l, wanted), lock_(l), self_(self) {}

    bool is_written_by_caller() const noexcept {
        const rwlock_view view(lock_);
        return view.is_written_by_this_thread() && (view.tag() == 0 || view.tag() == tag_of(self_));
    }

    int attempt() noexcept override {
        const rwlock_view view(lock_);
        if (view.is_written_by_this_thread()) {
            return is_written_by_caller() ? EDEADLK : EBUSY;
        }
        if (!wants_it_alone()) {
            return COIR_ORIGINAL(pthread_rwlock_tryrdlock)(&lock_);
        }
        const int result = COIR_ORIGINAL(pthread_rwlock_trywrlock)(&lock_);
        if (result == 0) {
            view.tag() = tag_of(self_);
        }
        return result;
    }

    // Readers leave no name: one of them may be a fiber of this thread.
    int attempt_for_a_moment() noexcept override { return EBUSY; }
    bool is_held_here() const noexcept override {
        return rwlock_view(lock_).is_written_by_this_thread();
    }

    bool may_be_released_unseen() const noexcept override {
        return rwlock_view(lock_).is_process_shared();
    }
    bool writers_go_first() const noexcept override { return rwlock_view(lock_).prefers_writers(); }
    coir::wait_label label() const noexcept override {
        return {
            wants_it_alone() ? "writing under a pthread rwlock" : "reading under a pthread rwlock",
            -1, true};
    }

private:
    pthread_rwlock_t& lock_;
    const calling_fiber self_;
};

int lock(pthread_rwlock_t& l, const calling_fiber& self, contended_lock::use wanted,
         const time_limit& until) noexcept {
    contended_rwlock contended(l, self, wanted);
    const int result =
        line_is_empty(&l) || contended.is_written_by_caller() ? contended.attempt() : EBUSY;
    if (result != EBUSY) {
        return result;
    }
    return until.is_valid() ? get_in_line(contended, until) : EINVAL;
}

// A fiber's attempt that need not succeed.
int try_lock(pthread_rwlock_t& l, const calling_fiber& self, contended_lock::use wanted) noexcept {
    const int result = contended_rwlock(l, self, wanted).attempt();
    if (result != EBUSY && result != EDEADLK) {
        return result;
    }
    spend_budget();  // a loop around this call must not keep the owner from running
    return EBUSY;
}

// What libc gave a fiber that may not park.
int noted(pthread_rwlock_t& l, const calling_fiber& self, int result) noexcept {
    if (self.id != 0 && result == 0) {
        rwlock_view(l).tag() = tag_of(self);
    }
    return result;
}

}  // namespace

COIR_HOOK int pthread_rwlock_rdlock(pthread_rwlock_t* l) noexcept {
    const calling_fiber self = lock_caller();
    return self.may_park ? lock(*l, self, contended_lock::use::shared, time_limit())
                         : COIR_ORIGINAL(pthread_rwlock_rdlock)(l);
}

COIR_HOOK int pthread_rwlock_wrlock(pthread_rwlock_t* l) noexcept {
    const calling_fiber self = lock_caller();
    return self.may_park ? lock(*l, self, contended_lock::use::alone, time_limit())
                         : noted(*l, self, COIR_ORIGINAL(pthread_rwlock_wrlock)(l));
}

COIR_HOOK int pthread_rwlock_tryrdlock(pthread_rwlock_t* l) noexcept {
    const calling_fiber self = lock_caller();
    return self.may_park ? try_lock(*l, self, contended_lock::use::shared)
                         : COIR_ORIGINAL(pthread_rwlock_tryrdlock)(l);
}

COIR_HOOK int pthread_rwlock_trywrlock(pthread_rwlock_t* l) noexcept {
    const calling_fiber self = lock_caller();
    return self.may_park ? try_lock(*l, self, contended_lock::use::alone)
                         : noted(*l, self, COIR_ORIGINAL(pthread_rwlock_trywrlock)(l));
}

COIR_HOOK int pthread_rwlock_timedrdlock(pthread_rwlock_t* l, const timespec* until) noexcept {
    const calling_fiber self = lock_caller();
    return self.may_park
               ? lock(*l, self, contended_lock::use::shared, time_limit(CLOCK_REALTIME, *until))
               : COIR_ORIGINAL(pthread_rwlock_timedrdlock)(l, until);
}

COIR_HOOK int pthread_rwlock_timedwrlock(pthread_rwlock_t* l, const timespec* until) noexcept {
    const calling_fiber self = lock_caller();
    return self.may_park
               ? lock(*l, self, contended_lock::use::alone, time_limit(CLOCK_REALTIME, *until))
               : noted(*l, self, COIR_ORIGINAL(pthread_rwlock_timedwrlock)(l, until));
}

COIR_HOOK int pthread_rwlock_clockrdlock(pthread_rwlock_t* l, clockid_t clock,
                                         const timespec* until) noexcept {
    const calling_fiber self = lock_caller();
    return self.may_park ? lock(*l, self, contended_lock::use::shared, time_limit(clock, *until))
                         : COIR_ORIGINAL(pthread_rwlock_clockrdlock)(l, clock, until);
}

COIR_HOOK int pthread_rwlock_clockwrlock(pthread_rwlock_t* l, clockid_t clock,
                                         const timespec* until) noexcept {
    const calling_fiber self = lock_caller();
    return self.may_park
               ? lock(*l, self, contended_lock::use::alone, time_limit(clock, *until))
               : noted(*l, self, COIR_ORIGINAL(pthread_rwlock_clockwrlock)(l, clock, until));
}

COIR_HOOK int pthread_rwlock_unlock(pthread_rwlock_t* l) noexcept {
    if (lock_caller().id != 0 && rwlock_view(*l).is_written_by_this_thread()) {
        rwlock_view(*l).tag() = 0;
    }
    const int result = COIR_ORIGINAL(pthread_rwlock_unlock)(l);
    call_line(l);
    return result;
}

// Other names of the same.
COIR_HOOK [[gnu::alias("pthread_rwlock_rdlock"), gnu::nonnull(1)]] int __pthread_rwlock_rdlock(
    pthread_rwlock_t* l) noexcept;
COIR_HOOK [[gnu::alias("pthread_rwlock_wrlock"), gnu::nonnull(1)]] int __pthread_rwlock_wrlock(
    pthread_rwlock_t* l) noexcept;
COIR_HOOK [[gnu::alias("pthread_rwlock_tryrdlock"), gnu::nonnull(1)]] int
__pthread_rwlock_tryrdlock(pthread_rwlock_t* l) noexcept;
COIR_HOOK [[gnu::alias("pthread_rwlock_trywrlock"), gnu::nonnull(1)]] int
__pthread_rwlock_trywrlock(pthread_rwlock_t* l) noexcept;
COIR_HOOK [[gnu::alias("pthread_rwlock_unlock"), gnu::nonnull(1)]] int __pthread_rwlock_unlock(
    pthread_rwlock_t* l) noexcept;
