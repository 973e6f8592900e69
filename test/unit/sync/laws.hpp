// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/deadline.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace coir::test {

// The seed of a test of random interleavings: that of the environment's COIR_TEST_SEED, to repeat a
// run, or a new one. Print it.
inline unsigned seed_of_this_run() {
    static const unsigned seed = [] {
        const char* const chosen = std::getenv("COIR_TEST_SEED");
        return chosen != nullptr ? static_cast<unsigned>(std::stoul(chosen))
                                 : std::random_device{}();
    }();
    return seed;
}

// How the tries of a law ended. A law wants to see all that can happen.
struct outcomes {
    int notified = 0;   // it got what it wanted, perhaps at once
    int timed_out = 0;  // by its own deadline
    int cancelled = 0;  // by a scope that was cancelled, or whose deadline passed
};

// Fibers that try, over and over, to get something, while one cancels and deadlines pass: on
// virtual time, in an order that a seed decides.
class random_world {
public:
    explicit random_world(unsigned seed) : random_(seed) {}

    int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
    std::chrono::microseconds moment(int below) { return std::chrono::microseconds(pick(below)); }

    // A deadline for a try: never, soon, or passed.
    deadline some_deadline() {
        switch (pick(4)) {
            case 0: return deadline::after(moment(6));
            case 1: return deadline::immediately();
            default: return deadline::never();
        }
    }

    // Runs `fibers` fibers that each call attempt() `tries` times, inside a scope that somebody may
    // cancel, or that has a deadline. An attempt returns whether it got what it wanted, and throws
    // operation_cancelled. Between the cancellations stir() is called, when everybody who could run
    // has run: whoever is still inside an attempt waits.
    template <class Attempt, class Stir>
    void live(int fibers, int tries, Attempt attempt, Stir stir) {
        int running = fibers;
        std::deque<fiber> all;
        std::vector<cancel_scope*> scopes(static_cast<std::size_t>(fibers), nullptr);
        for (int i = 0; i < fibers; ++i) {
            all.emplace_back([&, i] {
                for (int k = 0; k < tries; ++k) {
                    cancel_scope scope(pick(4) == 0 ? deadline::after(moment(5))
                                                    : deadline::never());
                    scopes[static_cast<std::size_t>(i)] = &scope;
                    try_once(scope, attempt);
                    scopes[static_cast<std::size_t>(i)] = nullptr;
                    shield([&] { this_fiber::sleep_for(moment(3)); });
                }
                --running;
            });
        }
        while (running != 0) {
            this_fiber::sleep_for(moment(3) + std::chrono::microseconds(1));
            cancel_scope* const scope = scopes[static_cast<std::size_t>(pick(fibers))];
            if (scope != nullptr) {
                scope->cancel();
            }
            for (int i = 0; i < 16; ++i) {
                this_fiber::yield();
            }
            stir();
        }
        for (fiber& f : all) {
            f.join();
        }
    }

    outcomes seen;

private:
    template <class Attempt>
    void try_once(cancel_scope& scope, Attempt& attempt) {
        bool got = false;
        bool ended = false;
        scope.run([&] {
            got = attempt();
            ended = true;
        });
        ++(!ended ? seen.cancelled : got ? seen.notified : seen.timed_out);
    }

    std::mt19937 random_;
};

// Calls law(world) for several seeds. Each has to see waits that were notified and such as were
// cancelled.
template <class Law>
void run_with_seeds(Law law) {
    for (unsigned sample = 0; sample < 20; ++sample) {
        const unsigned seed = seed_of_this_run() + sample;
        BOOST_TEST_CONTEXT("COIR_TEST_SEED=" << seed) {
            run_in_fiber_world([&] {
                random_world world(seed);
                law(world);
                BOOST_TEST(world.seen.notified > 0);
                BOOST_TEST(world.seen.cancelled > 0);
            });
        }
    }
}

// Counts those who wait, whatever ends it.
class counted {
public:
    explicit counted(int& count) : count_(count) { ++count_; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --count_; }

private:
    int& count_;
};

}  // namespace coir::test
