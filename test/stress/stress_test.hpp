// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "stress/participant.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace coir::stress {

// Whether something has happened that must never be: the first such thing. Any thread.
class verdict {
public:
    void require(bool holds, const char* what) noexcept {
        const char* none = nullptr;
        if (!holds) {
            broken_.compare_exchange_strong(none, what, std::memory_order_relaxed);
        }
    }
    // Empty if nothing is.
    std::string broken() const {
        const char* const what = broken_.load(std::memory_order_relaxed);
        return what != nullptr ? what : "";
    }

private:
    std::atomic<const char*> broken_{nullptr};
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
    virtual std::string check(const totals& total) = 0;

    // How many times as long as a hand-over between fibers an attempt takes, roughly: so much
    // later, and more rarely, are scopes cancelled.
    virtual int pace() const { return 1; }

    // After check(): the test's own counts, in words, where it has any.
    virtual std::string counts() const { return {}; }

protected:
    // For use inside attempt(): something that must never be. Told by check().
    void require(bool holds, const char* what) noexcept { verdict_.require(holds, what); }
    std::string broken() const { return verdict_.broken(); }
    verdict& shared_verdict() noexcept { return verdict_; }

private:
    verdict verdict_;
};

// What is used up and replaced: everybody shares the present one, and whoever has used it up sees
// to the next. The last one to leave destroys it, while others may be on their way out of its
// calls.
template <class T>
class generations {
public:
    explicit generations(std::function<std::shared_ptr<T>()> make =
                             [] { return std::make_shared<T>(); })
        : make_(std::move(make)), present_(make_()) {}

    std::shared_ptr<T> present() const {
        const std::lock_guard lock(mutex_);
        return present_;
    }
    // True for one caller for each `used`.
    bool replace(const T& used) {
        if (present().get() != &used) {
            return false;
        }
        auto next = make_();
        const std::lock_guard lock(mutex_);
        if (present_.get() != &used) {
            return false;
        }
        present_.swap(next);
        ++count_;
        return true;
    }
    // Nothing is present any more.
    void end() {
        const std::lock_guard lock(mutex_);
        present_.reset();
    }
    std::uint64_t count() const {
        const std::lock_guard lock(mutex_);
        return count_;
    }

private:
    const std::function<std::shared_ptr<T>()> make_;
    mutable std::mutex mutex_;  // std's: nobody waits while he holds it
    std::shared_ptr<T> present_;
    std::uint64_t count_ = 0;
};

// The tests that there are, each a row of a table in a file of its own:
//
//     const std::vector<entry> channel_tests = {{"channel", make<channel_test>}};
//
// which tables.hpp lists.
struct entry {
    const char* name;
    std::unique_ptr<test> (*make)();
};

template <class Test>
std::unique_ptr<test> make() {
    return std::make_unique<Test>();
}

}  // namespace coir::stress
