// SPDX-License-Identifier: BSL-1.0
// Calls on a blocking pool: each runs once and its result comes back, or is taken out of the line,
// or is left behind and still runs to its end.
#include "stress/tables.hpp"

#include <coir/blocking_pool.hpp>
#include <coir/cancellation.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace coir::stress {

namespace {

using namespace std::chrono_literals;

struct thrown_by_a_call : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class blocking_pool_test : public test {
public:
    bool attempt(participant& self) override {
        const auto kind = static_cast<call_kind>(self.pick(3));
        const auto pause = self.soon(20);
        const bool left_behind = self.one_in(3);
        ++made_;
        const auto one = std::make_shared<story>();
        const auto call = [this, kind, pause, one] {
            require(++one->runs == 1 && !one->taken_back, "a call ran that should not have");
            return act(kind, pause);
        };
        try {
            const int result = left_behind ? run_blocking(pool_, abandon_on_cancel, call)
                                           : run_blocking(pool_, call);
            require(result == expected && one->runs == 1, "a result of a call that did not run");
            ++returned_;
        } catch (const thrown_by_a_call&) {
            require(one->runs == 1, "an exception of a call that did not run");
            ++threw_;
        } catch (const operation_cancelled&) {
            one->taken_back = !left_behind;
            require(left_behind || one->runs == 0, "a call that ran was taken back");
            ++(left_behind ? left_behind_ : taken_back_);
            throw;
        }
        return true;
    }

    std::string check(const totals&) override {
        while (pool_.statistics().running != 0) {  // calls that were left behind
            std::this_thread::sleep_for(1ms);
        }
        const blocking_pool_statistics at_end = pool_.statistics();
        // Of what was left behind some had not begun, and some had just ended: neither counts as
        // abandoned.
        const std::uint64_t dropped = ran_ - returned_ - threw_;
        require(made_ == returned_ + threw_ + taken_back_ + left_behind_, "a call has no outcome");
        require(ran_ == ended_ && ran_ == at_end.completed, "a call was not counted");
        require(at_end.abandoned <= dropped && dropped <= left_behind_,
                "what ran is not what came back and what was left behind");
        require(at_end.queued == 0, "calls are left in line");
        require(most_ <= static_cast<int>(threads), "more ran at once than there are threads");
        return returned_ == 0 ? "nothing ever came back" : broken();
    }

    std::string counts() const override {
        return std::to_string(made_) + " made, " + std::to_string(ran_) + " ran, " +
               std::to_string(returned_) + " returned, " + std::to_string(threw_) + " threw, " +
               std::to_string(left_behind_) + " left behind (" +
               std::to_string(pool_.statistics().abandoned) + " while they ran), " +
               std::to_string(taken_back_) + " taken back";
    }

private:
    static constexpr int expected = 7;
    static constexpr std::size_t threads = 3;
    enum class call_kind { returns, throws, dawdles };

    // Of one call; it may outlive its caller.
    struct story {
        std::atomic<int> runs{0};
        std::atomic<bool> taken_back{false};
    };

    // On a thread of the pool.
    int act(call_kind kind, std::chrono::microseconds pause) {
        ++ran_;
        const int now = ++running_;
        for (int most = most_; most < now && !most_.compare_exchange_weak(most, now);) {
        }
        if (kind == call_kind::dawdles) {
            std::this_thread::sleep_for(pause);
        }
        --running_;
        ++ended_;
        if (kind == call_kind::throws) {
            throw thrown_by_a_call("as it was told to");
        }
        return expected;
    }

    static blocking_pool_options few_that_come_and_go() {
        blocking_pool_options options;
        options.name = "stress";
        options.max_threads = threads;
        options.idle_time = 1ms;
        return options;
    }

    std::atomic<std::uint64_t> made_{0};
    std::atomic<std::uint64_t> returned_{0};
    std::atomic<std::uint64_t> threw_{0};
    std::atomic<std::uint64_t> taken_back_{0};
    std::atomic<std::uint64_t> left_behind_{0};
    std::atomic<std::uint64_t> ran_{0};
    std::atomic<std::uint64_t> ended_{0};
    std::atomic<int> running_{0};
    std::atomic<int> most_{0};
    blocking_pool pool_{few_that_come_and_go()};
};

}  // namespace

const std::vector<entry> offload_tests = {
    {"blocking_pool", make<blocking_pool_test>},
};

}  // namespace coir::stress
