// SPDX-License-Identifier: BSL-1.0
// pthread's mutexes. libc's mutex stays what it is, and its owner is a thread: that of the fiber
// that has locked it. So threads and fibers exclude each other by libc alone. What is added here is
// for fibers:
//
// - One that finds a mutex locked does not block its thread, where the owner might be waiting for
//   another fiber of that thread, or be one. See lock_line.hpp.
// - Recursive and error-checking mutexes, which ask who the owner is, take the fibers of a thread
//   for one. So the fiber's tag is noted in the mutex, too, in a place that such a mutex does not
//   use: __spins and what follows it, which are for adaptive mutexes and for lock elision of normal
//   ones. A mutex that was locked before the thread began to run fibers has no tag, and is
//   libc's affair.
//
// The locks of an allocator are libc's own to wait for: see allocator.hpp. Locking is no
// cancellation point, as in POSIX.
#include "hook/allocator.hpp"
#include "hook/held_mutexes.hpp"
#include "hook/interpose.hpp"
#include "hook/lock_line.hpp"
#include "hook/lock_owner.hpp"
#include "hook/thread_id.hpp"

#include <pthread.h>
#include <cerrno>
#include <chrono>
#include <cstddef>

using namespace coir::hook::detail;
using coir::detail::calling_fiber;

namespace {

// glibc's PTHREAD_MUTEX_KIND_MASK_NP and PTHREAD_MUTEX_PSHARED_BIT: parts of its ABI, as they stand
// in static initialisers and in memory that processes share.
constexpr int kind_mask = 3;
constexpr int process_shared_bit = 128;

struct [[gnu::may_alias]] tag_place {
    owner_tag tag;
};

// A mutex, as glibc lays it out. What libc may write meanwhile is read as an atomic is.
class mutex_view {
public:
    explicit mutex_view(pthread_mutex_t& m) noexcept : mutex_(m.__data) {
        static_assert(offsetof(__pthread_mutex_s, __list) - offsetof(__pthread_mutex_s, __spins) >=
                      sizeof(owner_tag));
    }

    int kind() const noexcept { return mutex_.__kind & kind_mask; }
    bool has_owner_rules() const noexcept {
        return kind() == PTHREAD_MUTEX_RECURSIVE || kind() == PTHREAD_MUTEX_ERRORCHECK;
    }
    bool is_process_shared() const noexcept { return (mutex_.__kind & process_shared_bit) != 0; }

    bool is_held_by_this_thread() const noexcept {
        return __atomic_load_n(&mutex_.__owner, __ATOMIC_RELAXED) == thread_id();
    }
    unsigned depth() const noexcept { return mutex_.__count; }

    // While this thread holds it.
    owner_tag& tag() const noexcept { return reinterpret_cast<tag_place*>(&mutex_.__spins)->tag; }

private:
    __pthread_mutex_s& mutex_;
};

bool is_acquired(int result) noexcept { return result == 0 || result == EOWNERDEAD; }

// What libc gave a fiber is the fiber's.
int noted(pthread_mutex_t& m, const calling_fiber& self, int result) noexcept {
    const mutex_view view(m);
    if (self.id != 0 && is_acquired(result) && view.has_owner_rules() && view.depth() <= 1) {
        view.tag() = tag_of(self);
    }
    return result;
}

// EBUSY: somebody else holds it, or the caller does and may not lock it twice.
int try_lock(pthread_mutex_t& m, const calling_fiber& self) noexcept {
    const mutex_view view(m);
    if (view.has_owner_rules() && view.is_held_by_this_thread() && view.tag() != 0 &&
        view.tag() != tag_of(self)) {
        return EBUSY;
    }
    return noted(m, self, COIR_ORIGINAL(pthread_mutex_trylock)(&m));
}

class contended_mutex final : public contended_lock {
public:
    contended_mutex(pthread_mutex_t& m, const calling_fiber& self) noexcept
        : contended_lock(&m, use::one_at_a_time), mutex_(m), self_(self) {}

    int attempt() noexcept override { return try_lock(mutex_, self_); }

    // By the system clock, since ThreadSanitizer of GCC 12 does not follow
    // pthread_mutex_clocklock().
    int attempt_for_a_moment() noexcept override {
        const timespec until = instant_after(CLOCK_REALTIME, std::chrono::milliseconds(1));
        const int result =
            noted(mutex_, self_, COIR_ORIGINAL(pthread_mutex_timedlock)(&mutex_, &until));
        return is_acquired(result) || result == ENOTRECOVERABLE ? result : EBUSY;
    }

    bool is_held_here() const noexcept override {
        return mutex_view(mutex_).is_held_by_this_thread() &&
               !mutex_view(mutex_).is_process_shared();
    }

    // A thread in pthread_cond_wait() releases it inside libc; so do other processes, and the
    // kernel for a thread that ends with a robust one.
    bool may_be_released_unseen() const noexcept override { return true; }

    coir::wait_label label() const noexcept override {
        return is_held_here() ? coir::wait_label{"a pthread mutex that another fiber holds"}
                              : coir::wait_label{"a pthread mutex", -1, true};
    }

private:
    pthread_mutex_t& mutex_;
    const calling_fiber self_;
};

// Whether the caller has locked it already, and it is one to which that matters.
bool is_owned(pthread_mutex_t& m, const calling_fiber& self) noexcept {
    const mutex_view view(m);
    return view.has_owner_rules() && view.is_held_by_this_thread() &&
           (view.tag() == 0 || view.tag() == tag_of(self));
}

// `from` is the code that wants it.
int lock(pthread_mutex_t& m, const calling_fiber& self, const time_limit& until,
         const void* from) noexcept {
    if (is_owned(m, self)) {  // those in line wait for the caller
        return COIR_ORIGINAL(pthread_mutex_lock)(&m);
    }
    const int result = line_is_empty(&m) ? try_lock(m, self) : EBUSY;
    if (result != EBUSY) {
        return result;
    }
    if (!until.is_valid()) {
        return EINVAL;
    }
    if (until.is_never() && is_allocator(from)) {
        return noted(m, self, COIR_ORIGINAL(pthread_mutex_lock)(&m));
    }
    contended_mutex contended(m, self);
    return get_in_line(contended, until);
}

int unlock(pthread_mutex_t& m, const calling_fiber& self) noexcept {
    const mutex_view view(m);
    if (!view.has_owner_rules() || !view.is_held_by_this_thread()) {
        return COIR_ORIGINAL(pthread_mutex_unlock)(&m);
    }
    const owner_tag owner = view.tag();
    if (owner != 0 && owner != tag_of(self)) {
        return EPERM;
    }
    if (view.depth() <= 1) {
        view.tag() = 0;
    }
    return COIR_ORIGINAL(pthread_mutex_unlock)(&m);
}

}  // namespace

COIR_HOOK int pthread_mutex_lock(pthread_mutex_t* m) noexcept {
    const calling_fiber self = lock_caller();
    if (!self.may_park) {
        return noted(*m, self, COIR_ORIGINAL(pthread_mutex_lock)(m));
    }
    const void* const from = __builtin_return_address(0);
    const int result = lock(*m, self, time_limit(), from);
    note_locked(m, result, from);
    return result;
}

COIR_HOOK int pthread_mutex_trylock(pthread_mutex_t* m) noexcept {
    const calling_fiber self = lock_caller();
    if (!self.may_park) {
        return noted(*m, self, COIR_ORIGINAL(pthread_mutex_trylock)(m));
    }
    const int result = try_lock(*m, self);
    note_locked(m, result, __builtin_return_address(0));
    if (result == EBUSY && mutex_view(*m).is_held_by_this_thread()) {
        spend_budget();  // a loop around this call must not keep the owner from running
    }
    return result;
}

COIR_HOOK int pthread_mutex_timedlock(pthread_mutex_t* m, const timespec* until) noexcept {
    const calling_fiber self = lock_caller();
    if (!self.may_park) {
        return noted(*m, self, COIR_ORIGINAL(pthread_mutex_timedlock)(m, until));
    }
    const void* const from = __builtin_return_address(0);
    const int result = lock(*m, self, time_limit(CLOCK_REALTIME, *until), from);
    note_locked(m, result, from);
    return result;
}

COIR_HOOK int pthread_mutex_clocklock(pthread_mutex_t* m, clockid_t clock,
                                      const timespec* until) noexcept {
    const calling_fiber self = lock_caller();
    if (!self.may_park) {
        return noted(*m, self, COIR_ORIGINAL(pthread_mutex_clocklock)(m, clock, until));
    }
    const void* const from = __builtin_return_address(0);
    const int result = lock(*m, self, time_limit(clock, *until), from);
    note_locked(m, result, from);
    return result;
}

COIR_HOOK int pthread_mutex_unlock(pthread_mutex_t* m) noexcept {
    const calling_fiber self = lock_caller();
    if (self.id == 0) {
        const int result = COIR_ORIGINAL(pthread_mutex_unlock)(m);
        call_line(m);
        return result;
    }
    note_unlocked(m);
    const int result = unlock(*m, self);
    call_line(m);
    return result;
}

// Other names of the same.
COIR_HOOK [[gnu::alias("pthread_mutex_lock"), gnu::nonnull(1)]] int __pthread_mutex_lock(
    pthread_mutex_t* m) noexcept;
COIR_HOOK [[gnu::alias("pthread_mutex_trylock"), gnu::nonnull(1)]] int __pthread_mutex_trylock(
    pthread_mutex_t* m) noexcept;
COIR_HOOK [[gnu::alias("pthread_mutex_unlock"), gnu::nonnull(1)]] int __pthread_mutex_unlock(
    pthread_mutex_t* m) noexcept;
