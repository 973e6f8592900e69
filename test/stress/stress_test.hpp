// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/cancellation.hpp>
#include <coir/deadline.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>

namespace coir::stress {

// What one participant, a fiber or a thread, uses: randomness of its own, and counts that are added
// up in the end.
class participant {
public:
    explicit participant(std::uint64_t seed) : random_(seed) {}

    int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

    // A deadline for a try: mostly soon, sometimes passed or a bit later; never `never()`, so that
    // a try which nobody answers ends.
    deadline some_deadline() {
        switch (pick(8)) {
            case 0: return deadline::immediately();
            case 1: return deadline::after(std::chrono::microseconds(500 + pick(1000)));
            default: return deadline::after(std::chrono::microseconds(pick(50)));
        }
    }

    std::uint64_t done = 0;       // it got what it wanted
    std::uint64_t timed_out = 0;  // its own deadline came first
    std::uint64_t cancelled = 0;  // a scope was cancelled, or its deadline passed

private:
    std::mt19937_64 random_;
};

// One primitive under stress. The driver makes one, calls attempt() from many fibers and threads at
// once, inside scopes that somebody may cancel, for as long as was asked for, and then check().
class test {
public:
    test() = default;
    test(const test&) = delete;
    test& operator=(const test&) = delete;
    virtual ~test() = default;

    // One try. Returns whether it got what it wanted; throws operation_cancelled.
    virtual bool attempt(participant& self) = 0;

    // When all participants have ended, `total` being the sum of what they counted. Returns what is
    // wrong; empty if nothing is.
    virtual std::string check(const participant& total) = 0;

protected:
    // For use inside attempt(): something that must never be. Told by check().
    void require(bool holds, const char* what) noexcept {
        if (!holds) {
            broken_.store(what, std::memory_order_relaxed);
        }
    }
    std::string broken() const {
        const char* const what = broken_.load(std::memory_order_relaxed);
        return what != nullptr ? what : "";
    }

private:
    std::atomic<const char*> broken_{nullptr};
};

// What is used up and replaced: everybody shares the present one, and whoever has used it up sees
// to the next. The last one to leave destroys it, while others may be on their way out of its
// calls.
template <class T>
class generations {
public:
    std::shared_ptr<T> present() const {
        const std::lock_guard lock(mutex_);
        return present_;
    }
    void replace() {
        auto next = std::make_shared<T>();
        const std::lock_guard lock(mutex_);
        present_.swap(next);
        ++count_;
    }
    std::uint64_t count() const {
        const std::lock_guard lock(mutex_);
        return count_;
    }

private:
    mutable std::mutex mutex_;  // std's: nobody waits while he holds it
    std::shared_ptr<T> present_ = std::make_shared<T>();
    std::uint64_t count_ = 0;
};

// The tests that there are, each a row of a table in a file of its own:
//
//     const std::vector<entry> channel_tests = {{"channel", make<channel_test>}};
//
// which stress_sync.cpp lists.
struct entry {
    const char* name;
    std::unique_ptr<test> (*make)();
};

template <class Test>
std::unique_ptr<test> make() {
    return std::make_unique<Test>();
}

}  // namespace coir::stress
