// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "boost_fibers.hpp"
#include "coir_fibers.hpp"
#include "std_threads.hpp"

#include <benchmark/benchmark.h>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

// The same program in three worlds: fibers of coir, fibers of Boost.Fiber, and threads. A world
// names its types, so that a benchmark is a template over it and none is treated differently.
// What a world lacks it does not name.
namespace against {

// Two parties: the one that is measured and the one that answers, which has started by then.
template <class World, class Ask, class Answer, class Run>
void run_pair(Ask ask, Answer answer, Run run) {
    std::atomic<bool> started{false};
    run(
        [&] {
            while (!started.load()) {
                World::yield();
            }
            ask();
        },
        [&] {
            started.store(true);
            answer();
        });
}

struct on_one_carrier {
    static constexpr const char* name = "/one_carrier";

    template <class World, class Ask, class Answer>
    static void run(Ask ask, Answer answer) {
        run_pair<World>(ask, answer, [](auto asks, auto answers) {
            World::run([&] {
                typename World::fiber other(answers);
                asks();
                other.join();
            });
        });
    }
};

struct on_two_carriers {
    static constexpr const char* name = "/two_carriers";

    template <class World, class Ask, class Answer>
    static void run(Ask ask, Answer answer) {
        run_pair<World>(ask, answer,
                        [](auto asks, auto answers) { World::run_on_two_carriers(asks, answers); });
    }
};

// A benchmark that lost something has measured nothing.
inline void require_equal(std::int64_t counted, std::int64_t expected) {
    if (counted != expected) {
        throw std::logic_error("something was lost, or came twice");
    }
}

// What was added, in order: a row each. The world is a column.
std::vector<std::string>& subjects();

// By the wall clock: what another thread does takes time, too.
inline void add(const std::string& subject, const char* world,
                void (*function)(benchmark::State&)) {
    std::vector<std::string>& all = subjects();
    if (std::find(all.begin(), all.end(), subject) == all.end()) {
        all.push_back(subject);
    }
    benchmark::RegisterBenchmark((subject + '/' + world).c_str(), function)->UseRealTime();
}

}  // namespace against
