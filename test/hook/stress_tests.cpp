// SPDX-License-Identifier: BSL-1.0
// libc's own locks under stress, by the same crowd that coir's are put under stress by: fibers of
// three carriers and plain threads, with deadlines and cancellations. What is owned is counted
// without atomics, so that an owner who is not alone shows, and to ThreadSanitizer at once.
#include "stress/stress_test.hpp"
#include "stress/tables.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>

#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace coir::stress {

namespace {

// The same deadline, on a clock of libc's.
timespec on_clock(clockid_t clock, deadline until) {
    timespec now{};
    clock_gettime(clock, &now);
    constexpr std::chrono::nanoseconds long_enough = std::chrono::hours(1);
    const auto left = std::min<std::chrono::nanoseconds>(until.remaining(), long_enough);
    const std::int64_t sum = (std::chrono::nanoseconds(now.tv_nsec) + left).count();
    return {now.tv_sec + static_cast<time_t>(sum / 1'000'000'000),
            static_cast<long>(sum % 1'000'000'000)};
}

// Waits while it holds something, now and then: what can be cancelled.
void linger(participant& self) {
    switch (self.pick(16)) {
        case 0: this_fiber::sleep_for(std::chrono::microseconds(self.pick(50))); break;
        case 1: this_fiber::yield(); break;
        default: break;
    }
}

class pthread_mutex {
public:
    explicit pthread_mutex(int kind) noexcept {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, kind);
        pthread_mutex_init(&mutex_, &attributes);
        pthread_mutexattr_destroy(&attributes);
    }
    pthread_mutex(const pthread_mutex&) = delete;
    pthread_mutex& operator=(const pthread_mutex&) = delete;
    ~pthread_mutex() { pthread_mutex_destroy(&mutex_); }

    void lock() { pthread_mutex_lock(&mutex_); }
    void unlock() { failed_ = failed_ || pthread_mutex_unlock(&mutex_) != 0; }
    bool try_lock() { return pthread_mutex_trylock(&mutex_) == 0; }
    bool try_lock_until(deadline until) {
        const timespec at = on_clock(CLOCK_REALTIME, until);
        return pthread_mutex_timedlock(&mutex_, &at) == 0;
    }
    pthread_mutex_t& native() noexcept { return mutex_; }
    bool failed() const noexcept { return failed_; }

private:
    pthread_mutex_t mutex_;
    std::atomic<bool> failed_{false};
};

template <int Kind>
class mutex_test : public test {
public:
    bool attempt(participant& self) override {
        std::unique_lock lock(mutex_, std::defer_lock);
        switch (self.pick(4)) {
            case 0:
                if (!lock.mutex()->try_lock_until(self.some_deadline())) {
                    return false;
                }
                break;
            case 1:
                if (!self.patient()) {
                    if (!lock.mutex()->try_lock()) {
                        return false;
                    }
                    break;
                }
                [[fallthrough]];
            default: lock.mutex()->lock();
        }
        lock = std::unique_lock(mutex_, std::adopt_lock);
        ++times_owned_;
        require(!std::exchange(owned_, true), "owned by two");
        struct disown {
            bool& owned;
            ~disown() { owned = false; }
        } const guard{owned_};
        if (Kind == PTHREAD_MUTEX_RECURSIVE && self.one_in(2)) {
            const std::lock_guard again(mutex_);
            linger(self);
        }
        linger(self);
        return true;
    }

    std::string check(const totals& total) override {
        if (!mutex_.try_lock()) {
            return "the mutex is not free";
        }
        mutex_.unlock();
        if (mutex_.failed()) {
            return "an owner was not taken for the owner";
        }
        return times_owned_ < total.done ? "two have owned it at once" : broken();
    }

private:
    pthread_mutex mutex_{Kind};
    std::uint64_t times_owned_ = 0;
    bool owned_ = false;
};

// A store with room for three that are put in and taken out.
class condition_test : public test {
public:
    bool attempt(participant& self) override {
        const deadline until = self.some_deadline();
        const bool puts = self.one_in(2);
        const std::lock_guard lock(mutex_);
        while (stored_ == (puts ? most : 0)) {
            if (!wait(self, puts ? taken_ : put_, until)) {
                return false;
            }
            // The condition does not tell of it.
            this_fiber::check_cancelled();
        }
        stored_ += puts ? 1 : -1;
        (puts ? puts_ : takes_) += 1;
        require(stored_ >= 0 && stored_ <= most, "more than there is room for, or less than none");
        if (self.one_in(8)) {
            pthread_cond_broadcast(puts ? &put_ : &taken_);
        } else {
            pthread_cond_signal(puts ? &put_ : &taken_);
        }
        return true;
    }

    std::string check(const totals&) override {
        return puts_ - takes_ != stored_ ? "lost, or had twice" : broken();
    }

private:
    static constexpr int most = 3;

    // Some wait in vain, for those who are patient must be answered.
    bool wait(participant& self, pthread_cond_t& c, deadline until) {
        if (self.patient() || (self.may_wait_for_ever() && self.one_in(4))) {
            pthread_cond_wait(&c, &mutex_.native());
            return true;
        }
        const timespec at = on_clock(CLOCK_MONOTONIC, until);
        return pthread_cond_clockwait(&c, &mutex_.native(), CLOCK_MONOTONIC, &at) != ETIMEDOUT;
    }

    pthread_mutex mutex_{PTHREAD_MUTEX_NORMAL};
    pthread_cond_t put_ = PTHREAD_COND_INITIALIZER;
    pthread_cond_t taken_ = PTHREAD_COND_INITIALIZER;
    int stored_ = 0;
    std::int64_t puts_ = 0;
    std::int64_t takes_ = 0;
};

class rwlock_test : public test {
public:
    bool attempt(participant& self) override { return self.one_in(4) ? write(self) : read(self); }

    std::string check(const totals&) override {
        if (pthread_rwlock_trywrlock(&lock_) != 0) {
            return "the lock is not free";
        }
        pthread_rwlock_unlock(&lock_);
        return broken();
    }

private:
    struct unlock {
        explicit unlock(pthread_rwlock_t& l) noexcept : lock(l) {}
        unlock(const unlock&) = delete;
        unlock& operator=(const unlock&) = delete;
        ~unlock() { pthread_rwlock_unlock(&lock); }
        pthread_rwlock_t& lock;
    };

    bool write(participant& self) {
        if (self.one_in(2)) {
            const timespec at = on_clock(CLOCK_REALTIME, self.some_deadline());
            if (pthread_rwlock_timedwrlock(&lock_, &at) != 0) {
                return false;
            }
        } else {
            require(pthread_rwlock_wrlock(&lock_) == 0, "a writer is refused");
        }
        const unlock guard(lock_);
        ++writes_;
        require(!writing_.exchange(true) && reading_ == 0, "written to, and not alone");
        struct end {
            std::atomic<bool>& writing;
            ~end() { writing = false; }
        } const ending{writing_};
        linger(self);
        return true;
    }

    bool read(participant& self) {
        if (self.one_in(2)) {
            const timespec at = on_clock(CLOCK_REALTIME, self.some_deadline());
            if (pthread_rwlock_timedrdlock(&lock_, &at) != 0) {
                return false;
            }
        } else {
            require(pthread_rwlock_rdlock(&lock_) == 0, "a reader is refused");
        }
        const unlock guard(lock_);
        ++reading_;
        struct end {
            std::atomic<int>& reading;
            ~end() { --reading; }
        } const ending{reading_};
        require(!writing_, "read while it is written to");
        linger(self);
        return true;
    }

    pthread_rwlock_t lock_ = PTHREAD_RWLOCK_INITIALIZER;
    std::uint64_t writes_ = 0;
    std::atomic<bool> writing_{false};
    std::atomic<int> reading_{0};
};

class semaphore_test : public test {
public:
    semaphore_test() { sem_init(&semaphore_, 0, permits); }
    ~semaphore_test() override { sem_destroy(&semaphore_); }

    bool attempt(participant& self) override {
        if (self.may_wait_for_ever() && self.one_in(4)) {
            if (sem_wait(&semaphore_) != 0) {
                this_fiber::check_cancelled();
            }
        } else {
            const timespec at = on_clock(CLOCK_REALTIME, self.some_deadline());
            if (sem_timedwait(&semaphore_, &at) != 0) {
                this_fiber::check_cancelled();
                return false;
            }
        }
        require(++inside_ <= permits, "more holders than permits");
        struct leave {
            semaphore_test& self;
            ~leave() {
                --self.inside_;
                sem_post(&self.semaphore_);
            }
        } const leaving{*this};
        linger(self);
        return true;
    }

    std::string check(const totals&) override {
        int value = 0;
        sem_getvalue(&semaphore_, &value);
        return value != permits ? "permits are missing" : broken();
    }

private:
    static constexpr int permits = 3;

    sem_t semaphore_;
    std::atomic<int> inside_{0};
};

// Flags that are done after some failures, one after the other.
class once_test : public test {
public:
    bool attempt(participant& self) override {
        const std::shared_ptr<round> mine = rounds_.present();
        try {
            std::call_once(mine->flag, [&] { call(self, *mine); });
        } catch (int) {
            return false;
        }
        require(mine->calls == 1, "passed, and not called once");
        return true;
    }

    std::string check(const totals&) override {
        return rounds_.count() == 0 ? "nothing was ever done" : broken();
    }

private:
    struct round {
        std::once_flag flag;
        int calls = 0;
        std::atomic<bool> active{false};
    };

    void call(participant& self, round& r) {
        require(!r.active.exchange(true), "called by two at once");
        struct deactivate {
            std::atomic<bool>& active;
            ~deactivate() { active = false; }
        } const guard{r.active};
#ifdef __SANITIZE_THREAD__
        // Its pthread_once does not take note of an exception.
        shield([&] { linger(self); });
#else
        linger(self);
        if (self.one_in(3)) {
            throw 1;
        }
#endif
        ++r.calls;
        rounds_.replace(r);
    }

    generations<round> rounds_;
};

const std::vector<entry> pthread_tests = {
    {"pthread_mutex", make<mutex_test<PTHREAD_MUTEX_NORMAL>>},
    {"pthread_mutex_recursive", make<mutex_test<PTHREAD_MUTEX_RECURSIVE>>},
    {"pthread_mutex_errorcheck", make<mutex_test<PTHREAD_MUTEX_ERRORCHECK>>},
    {"pthread_cond", make<condition_test>},
    {"pthread_rwlock", make<rwlock_test>},
    {"pthread_once", make<once_test>},
    {"sem", make<semaphore_test>},
};

}  // namespace

const std::vector<const std::vector<entry>*> tables = {&pthread_tests};

}  // namespace coir::stress
