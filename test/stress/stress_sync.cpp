// SPDX-License-Identifier: BSL-1.0
// Usage: stress_sync PRIMITIVE [SECONDS] [SEED]
//        stress_sync --list
//
// Puts a primitive of coir/sync under stress: fibers of two run()s, on two threads, and a plain
// thread use it at random, under deadlines and scopes that are cancelled at random. Prints the
// totals, and fails (1) if something was lost, had twice or out of order. A primitive that loses a
// wake-up shows as time-outs that are not explained, or as a hang.
#include "stress/tables.hpp"

#include <coir/coir.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using coir::stress::entry;
using coir::stress::participant;
using coir::stress::test;

constexpr std::size_t fibers_each = 8;

class stress {
public:
    stress(test& tested, std::chrono::seconds length, std::uint64_t seed)
        : test_(tested), end_(std::chrono::steady_clock::now() + length), seed_(seed) {}

    // Returns the sum of what all have counted.
    participant run() {
        std::thread one([this] { carry(0); });
        std::thread other([this] { carry(1); });
        participant alone(seed_);
        live(alone, nullptr);
        one.join();
        other.join();
        add(alone);
        return total_;
    }

private:
    using scope_slot = coir::cancel_scope*;

    bool over() const { return std::chrono::steady_clock::now() >= end_; }

    // A run() with its fibers, and one that cancels their scopes.
    void carry(std::uint64_t number) {
        coir::run([&] {
            std::array<scope_slot, fibers_each> scopes{};
            std::deque<participant> participants;
            std::deque<coir::fiber> fibers;
            std::size_t running = fibers_each;
            for (std::size_t i = 0; i < fibers_each; ++i) {
                participant& self = participants.emplace_back(seed_ + 1000 * (number + 1) + i);
                scope_slot& slot = scopes[i];
                fibers.emplace_back([&] {
                    live(self, &slot);
                    --running;
                });
            }
            participant canceller(seed_ + 1000 * (number + 1) + fibers_each);
            while (running != 0) {
                coir::this_fiber::sleep_for(std::chrono::microseconds(canceller.pick(200)));
                const auto i = static_cast<std::size_t>(canceller.pick(fibers_each));
                if (scopes[i] != nullptr) {
                    scopes[i]->cancel();
                }
            }
            for (coir::fiber& f : fibers) {
                f.join();
            }
            for (const participant& p : participants) {
                add(p);
            }
        });
    }

    // Tries until the time is over, each time in a scope of its own, which may have a deadline, or
    // be cancelled by way of `slot`; a plain thread has none.
    void live(participant& self, scope_slot* slot) {
        while (!over()) {
            coir::cancel_scope scope(
                self.pick(4) == 0 ? coir::deadline::after(std::chrono::microseconds(self.pick(100)))
                                  : coir::deadline::never());
            if (slot != nullptr) {
                *slot = &scope;
            }
            bool got = false;
            const bool returned = scope.run([&] { got = test_.attempt(self); });
            if (slot != nullptr) {
                *slot = nullptr;
            }
            ++(!returned ? self.cancelled : got ? self.done : self.timed_out);
            if (self.pick(8) == 0) {
                coir::this_fiber::yield();
            }
        }
    }

    void add(const participant& p) {
        const std::lock_guard lock(adding_);
        total_.done += p.done;
        total_.timed_out += p.timed_out;
        total_.cancelled += p.cancelled;
    }

    test& test_;
    const std::chrono::steady_clock::time_point end_;
    const std::uint64_t seed_;
    std::mutex adding_;
    participant total_{0};
};

const entry* find(const std::string& name) {
    for (const std::vector<entry>* table : coir::stress::tables) {
        for (const entry& e : *table) {
            if (name == e.name) {
                return &e;
            }
        }
    }
    return nullptr;
}

void print_names(std::FILE* to) {
    for (const std::vector<entry>* table : coir::stress::tables) {
        for (const entry& e : *table) {
            std::fprintf(to, "%s\n", e.name);
        }
    }
}

int run_test(const entry& chosen, std::chrono::seconds length, std::uint64_t seed) {
    std::printf("%s: %lld s, seed %llu\n", chosen.name, static_cast<long long>(length.count()),
                static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    const auto tested = chosen.make();
    const participant total = stress(*tested, length, seed).run();
    const std::string wrong = tested->check(total);
    std::printf("%s: done %llu, timed out %llu, cancelled %llu: %s\n", chosen.name,
                static_cast<unsigned long long>(total.done),
                static_cast<unsigned long long>(total.timed_out),
                static_cast<unsigned long long>(total.cancelled),
                wrong.empty() ? "nothing lost" : wrong.c_str());
    return wrong.empty() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    if (words.size() == 1 && words[0] == "--list") {
        print_names(stdout);
        return 0;
    }
    const entry* const chosen = words.empty() || words.size() > 3 ? nullptr : find(words[0]);
    if (chosen == nullptr) {
        std::fprintf(stderr, "usage: stress_sync PRIMITIVE [SECONDS] [SEED], of these:\n");
        print_names(stderr);
        return 2;
    }
    try {
        const std::chrono::seconds length(words.size() > 1 ? std::stol(words[1]) : 60);
        const std::uint64_t seed =
            words.size() > 2 ? std::stoull(words[2]) : std::random_device{}();
        return run_test(*chosen, length, seed);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "stress_sync %s: %s\n", chosen->name, e.what());
        return 1;
    }
}
