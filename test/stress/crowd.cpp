// SPDX-License-Identifier: BSL-1.0
#include "stress/crowd.hpp"

#include "stress/watchdog.hpp"

#include <coir/coir.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace coir::stress {

namespace {

constexpr std::size_t fibers_of_two_carriers = 10;
constexpr std::size_t fibers_of_one_carrier = 5;
constexpr std::size_t plain_threads = 2;
constexpr std::size_t everybody = fibers_of_two_carriers + fibers_of_one_carrier + plain_threads;

// The scope that a participant is in, where anybody can cancel it.
class exposed_scope {
public:
    class exposure {
    public:
        exposure(exposed_scope& where, cancel_scope& scope) : where_(where) { where_.set(&scope); }
        exposure(const exposure&) = delete;
        exposure& operator=(const exposure&) = delete;
        ~exposure() { where_.set(nullptr); }

    private:
        exposed_scope& where_;
    };

    void cancel() {
        const std::lock_guard lock(mutex_);  // while it is held the scope stays
        if (scope_ != nullptr) {
            scope_->cancel();
        }
    }

private:
    void set(cancel_scope* scope) {
        const std::lock_guard lock(mutex_);
        scope_ = scope;
    }

    std::mutex mutex_;  // std's: nobody waits while he holds it
    cancel_scope* scope_ = nullptr;
};

class crowd {
public:
    crowd(test& tested, std::chrono::steady_clock::time_point end, std::uint64_t seed)
        : test_(tested), seed_(seed), attendance_(end, everybody) {}

    totals run() {
        std::thread two_carriers([this] { carry("two carriers", 2, 0, fibers_of_two_carriers); });
        std::thread one_carrier(
            [this] { carry("one carrier", 1, fibers_of_two_carriers, fibers_of_one_carrier); });
        std::array<std::thread, plain_threads> plain;
        for (std::size_t i = 0; i < plain_threads; ++i) {
            plain[i] = std::thread(
                [this, i] { take_part(participant::kind::thread, everybody - plain_threads + i); });
        }
        two_carriers.join();
        one_carrier.join();
        for (std::thread& each : plain) {
            each.join();
        }
        if (failure_) {
            std::rethrow_exception(failure_);
        }
        return total_;
    }

private:
    // A run() with its fibers, and one that cancels scopes.
    void carry(const char* name, std::size_t threads, std::size_t first, std::size_t count) {
        pulse beats(std::string("the end of the run with ") + name);
        chance canceller(seed_ + 1 + everybody + first);
        watched_run watched(name);
        run_options options;
        options.threads = threads;
        coir::run(options, [&] {
            watched.here();
            std::atomic<std::size_t> running{count};
            std::deque<fiber> fibers;
            for (std::size_t i = 0; i < count; ++i) {
                const int carrier = static_cast<int>(i % threads);
                fibers.emplace_back(
                    fiber_options("participant " + std::to_string(first + i)).on(carrier),
                    [this, &running, number = first + i] {
                        take_part(participant::kind::fiber, number);
                        --running;
                    });
            }
            while (running != 0) {
                this_fiber::sleep_for(canceller.soon(200 * test_.pace()));
                scopes_[static_cast<std::size_t>(canceller.pick(everybody))].cancel();
                beats.beat();
            }
        });
    }

    void take_part(participant::kind kind, std::size_t number) {
        participant self(kind, number, seed_ + 1 + number, attendance_);
        std::exception_ptr escaped;
        while (!attendance_.may_leave()) {
            self.begin_attempt();
            try {
                attempt(self);
            } catch (const std::exception&) {
                escaped = std::current_exception();
                attendance_.call_it_a_day();
            }
            self.end_attempt();
        }
        const std::lock_guard lock(adding_);
        total_ += self.counts();
        failure_ = escaped ? escaped : failure_;
    }

    // Tries once, in a scope of its own.
    void attempt(participant& self) {
        const bool in_a_hurry = !self.patient() && self.one_in(4);
        cancel_scope scope(in_a_hurry ? deadline::after(self.soon(100 * test_.pace()))
                                      : deadline::never());
        std::optional<exposed_scope::exposure> exposed;
        if (!self.patient()) {
            exposed.emplace(scopes_[self.number()], scope);
        }
        bool got = false;
        const bool returned = scope.run([&] { got = test_.attempt(self); });
        using result = participant::result;
        self.count(!returned ? result::cancelled : got ? result::done : result::timed_out);
        if (self.one_in(8)) {
            this_fiber::yield();
        }
    }

    test& test_;
    const std::uint64_t seed_;
    attendance attendance_;
    std::array<exposed_scope, everybody> scopes_;
    std::mutex adding_;
    totals total_;
    std::exception_ptr failure_;
};

}  // namespace

totals put_under_stress(test& tested, std::chrono::steady_clock::time_point end,
                        std::uint64_t seed) {
    return crowd(tested, end, seed).run();
}

}  // namespace coir::stress
