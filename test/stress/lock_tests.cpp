// SPDX-License-Identifier: BSL-1.0
// Locks: one owner at a time, or several that share it; and free in the end.
#include "stress/tables.hpp"

#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace coir::stress {

namespace {

template <class Lock, class = void>
constexpr bool has_deadlines = false;
template <class Lock>
constexpr bool has_deadlines<
    Lock, std::void_t<decltype(std::declval<Lock&>().try_lock_until(deadline::never()))>> = true;

// Waits while it holds the lock, now and then: what can be cancelled.
void linger(participant& self) {
    switch (self.pick(16)) {
        case 0: this_fiber::sleep_for(std::chrono::microseconds(self.pick(50))); break;
        case 1: this_fiber::yield(); break;
        default: break;
    }
}

template <class Lock>
class lock_test : public test {
public:
    bool attempt(participant& self) override {
        std::unique_lock lock(lock_, std::defer_lock);
        if constexpr (has_deadlines<Lock>) {
            if (self.pick(2) == 0) {
                if (!lock.try_lock_until(self.some_deadline().time())) {
                    return false;
                }
            }
        }
        if (!lock.owns_lock()) {
            lock.lock();
        }
        own(self);
        return true;
    }

    std::string check(const totals& total) override {
        if (!lock_.try_lock()) {
            return "the lock is not free";
        }
        lock_.unlock();
        if (times_owned_ < total.done) {
            return "two have owned it at once: their counts got mixed up";
        }
        return broken();
    }

protected:
    // What an owner does, alone: the count is no atomic.
    void own(participant& self) {
        ++times_owned_;
        require(!owned_.exchange(true) && sharing_ == 0, "owned by one, and not alone");
        struct disown {
            std::atomic<bool>& owned;
            ~disown() { owned = false; }
        } const guard{owned_};
        linger(self);
    }

    Lock lock_;
    std::atomic<int> sharing_{0};

private:
    std::uint64_t times_owned_ = 0;
    std::atomic<bool> owned_{false};
};

template <class Lock>
class shared_lock_test : public lock_test<Lock> {
public:
    bool attempt(participant& self) override {
        if (self.pick(4) == 0) {
            return lock_test<Lock>::attempt(self);
        }
        std::shared_lock lock(this->lock_, std::defer_lock);
        if constexpr (has_deadlines<Lock>) {
            if (!lock.try_lock_until(self.some_deadline().time())) {
                return false;
            }
        } else {
            lock.lock();
        }
        ++this->sharing_;
        ++shares_;
        struct leave {
            std::atomic<int>& sharing;
            ~leave() { --sharing; }
        } const guard{this->sharing_};
        linger(self);
        return true;
    }

    std::string check(const totals& total) override {
        totals alone;
        alone.done = total.done > shares_ ? total.done - shares_ : 0;
        return lock_test<Lock>::check(alone);
    }

private:
    std::atomic<std::uint64_t> shares_{0};
};

// Flags that are done after some failures, one after the other.
class once_test : public test {
public:
    bool attempt(participant& self) override {
        const std::shared_ptr<round> mine = rounds_.present();
        try {
            call_once(mine->flag, [&] { call(self, *mine); });
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
        once_flag flag;
        int calls = 0;
        std::atomic<bool> active{false};
    };

    void call(participant& self, round& r) {
        require(!r.active.exchange(true), "called by two at once");
        struct deactivate {
            std::atomic<bool>& active;
            ~deactivate() { active = false; }
        } const guard{r.active};
        linger(self);
        if (self.pick(3) == 0) {
            throw 1;
        }
        ++r.calls;
        rounds_.replace(r);
    }

    generations<round> rounds_;
};

}  // namespace

const std::vector<entry> lock_tests = {
    {"mutex", make<lock_test<mutex>>},
    {"recursive_mutex", make<lock_test<recursive_mutex>>},
    {"timed_mutex", make<lock_test<timed_mutex>>},
    {"recursive_timed_mutex", make<lock_test<recursive_timed_mutex>>},
    {"shared_mutex", make<shared_lock_test<shared_mutex>>},
    {"shared_timed_mutex", make<shared_lock_test<shared_timed_mutex>>},
    {"once", make<once_test>},
};

}  // namespace coir::stress
