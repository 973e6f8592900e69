// SPDX-License-Identifier: BSL-1.0
// Promises and their futures: what was promised comes, once, to whoever has the future, and to all
// who share it.
#include "stress/tables.hpp"

#include <coir/async.hpp>
#include <coir/shared_future.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coir::stress {

namespace {

// How a promise ends.
enum class outcome { value, failure, broken };

struct failed_on_purpose : std::runtime_error {
    using std::runtime_error::runtime_error;
};

outcome some_outcome(chance& random) {
    switch (random.pick(8)) {
        case 0: return outcome::failure;
        case 1: return outcome::broken;
        default: return outcome::value;
    }
}

template <class T>
void fulfil(promise<T> made, outcome how, T value) {
    switch (how) {
        case outcome::value: made.set_value(value); break;
        case outcome::failure:
            made.set_exception(std::make_exception_ptr(failed_on_purpose("as it was told to")));
            break;
        case outcome::broken: break;
    }
}

// What get() tells, of a future whose result is there.
template <class Future>
outcome outcome_of(Future& of, std::uint64_t& value) {
    try {
        value = of.get();
        return outcome::value;
    } catch (const failed_on_purpose&) {
        return outcome::failure;
    } catch (const std::future_error&) {
        return outcome::broken;
    }
}

// A store of things that wait for somebody, in no order.
template <class T>
class shelf {
public:
    void put(T thing) {
        const std::lock_guard lock(mutex_);
        things_.push_back(std::move(thing));
    }
    std::optional<T> take() {
        const std::lock_guard lock(mutex_);
        if (things_.empty()) {
            return std::nullopt;
        }
        T thing = std::move(things_.front());
        things_.pop_front();
        return thing;
    }

private:
    std::mutex mutex_;  // std's: nobody waits while he holds it
    std::deque<T> things_;
};

// Some make promises, others keep them. Who gives up waiting leaves the future to the next one; in
// the end all of them have their results.
class promise_test : public test {
public:
    bool attempt(participant& self) override {
        switch (self.pick(4)) {
            case 0:
            case 1: return keep_one(self);
            case 2:
                if (std::optional<expected> left = left_behind_.take()) {
                    return wait(self, std::move(*left));
                }
                return false;
            default: return wait(self, make_one(self));
        }
    }

    std::string check(const totals&) override {
        while (std::optional<owed> open = open_.take()) {
            fulfil(std::move(open->made), outcome::broken, open->value);
            ++kept_;
        }
        while (std::optional<expected> left = left_behind_.take()) {
            require(left->result.ready(), "a result was lost");
            if (left->result.ready()) {
                settle(*left);
            }
        }
        require(made_ == kept_ && kept_ == settled_, "not every promise has come to one result");
        require(sum_given_ == sum_got_, "the sums of the values differ");
        return broken();
    }

    std::string counts() const override {
        return std::to_string(made_) + " made, " + std::to_string(settled_) + " got, sum given " +
               std::to_string(sum_given_) + ", got " + std::to_string(sum_got_);
    }

private:
    struct owed {
        promise<std::uint64_t> made;
        std::uint64_t value;
    };
    struct expected {
        future<std::uint64_t> result;
        std::uint64_t value;
    };

    expected make_one(participant& self) {
        owed debt{{}, made_.fetch_add(1) + 1};
        expected claim{debt.made.get_future(), debt.value};
        if (self.one_in(16)) {  // at once
            keep(self, std::move(debt));
        } else {
            open_.put(std::move(debt));
        }
        return claim;
    }

    bool keep_one(participant& self) {
        std::optional<owed> debt = open_.take();
        if (!debt) {
            return false;
        }
        keep(self, std::move(*debt));
        return true;
    }

    void keep(participant& self, owed debt) {
        const outcome how = some_outcome(self);
        sum_given_ += how == outcome::value ? debt.value : 0;
        ++kept_;
        fulfil(std::move(debt.made), how, debt.value);
    }

    // The claim goes to the next one if the wait ends without the result, however it ends.
    bool wait(participant& self, expected claim) {
        struct leave_behind {
            ~leave_behind() {
                if (claim.result.valid()) {
                    to.put(std::move(claim));
                }
            }
            expected& claim;
            shelf<expected>& to;
        } const guard{claim, left_behind_};
        if (claim.result.wait_until(self.some_deadline()) != std::future_status::ready) {
            return false;
        }
        settle(claim);
        return true;
    }

    // The result is there. get() is a cancellation point, and loses nothing.
    void settle(expected& claim) {
        std::uint64_t value = claim.value;
        if (outcome_of(claim.result, value) == outcome::value) {
            sum_got_ += value;
        }
        require(value == claim.value, "a value of another promise");
        ++settled_;
    }

    std::atomic<std::uint64_t> made_{0};
    std::atomic<std::uint64_t> kept_{0};
    std::atomic<std::uint64_t> settled_{0};
    std::atomic<std::uint64_t> sum_given_{0};
    std::atomic<std::uint64_t> sum_got_{0};
    shelf<owed> open_;
    shelf<expected> left_behind_;
};

// One promise at a time, whose future all share; after some have come one keeps it.
class shared_future_test : public test {
public:
    bool attempt(participant& self) override {
        const std::shared_ptr<round> mine = rounds_.present();
        if (mine->arrived.fetch_add(1) + 1 == keeper) {
            keep(self, *mine);
        }
        const shared_future<std::uint64_t> result = mine->result;
        if (result.wait_until(self.some_deadline()) != std::future_status::ready) {
            return false;
        }
        std::uint64_t value = secret;
        const outcome how = outcome_of(result, value);
        require(mine->kept, "a result before the promise was kept");
        require(how == mine->how && value == secret, "not the result that was given");
        return true;
    }

    std::string check(const totals&) override {
        chance last(0);
        const std::shared_ptr<round> left = rounds_.present();
        if (!left->kept) {
            keep(last, *left);
        }
        require(left->result.ready(), "a result was lost");
        return rounds_.count() == 0 ? "no promise was ever kept" : broken();
    }

    std::string counts() const override { return std::to_string(rounds_.count()) + " kept"; }

private:
    static constexpr int keeper = 40;
    static constexpr std::uint64_t secret = 4711;

    struct round {
        promise<std::uint64_t> made;
        shared_future<std::uint64_t> result = made.get_future().share();
        std::atomic<int> arrived{0};
        std::atomic<bool> kept{false};
        outcome how = outcome::value;
    };

    void keep(chance& random, round& r) {
        r.how = some_outcome(random);
        r.kept = true;
        rounds_.replace(r);
        fulfil(std::move(r.made), r.how, secret);
    }

    generations<round> rounds_;
};

}  // namespace

const std::vector<entry> result_tests = {
    {"promise", make<promise_test>},
    {"shared_future", make<shared_future_test>},
};

}  // namespace coir::stress
