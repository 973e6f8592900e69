// SPDX-License-Identifier: BSL-1.0
// Usage: stress NAME [SECONDS] [SEED]
//        stress --list
//
// Puts one thing under stress: fibers of three carriers, in two run()s, and plain threads use it at
// random, under deadlines and scopes that are cancelled at random. Prints the totals, and fails (1)
// if something was lost, had twice or out of order. One that loses a wake-up shows as a hang, which
// the watchdog describes (3).
#include "base/log.hpp"
#include "stress/crowd.hpp"
#include "stress/tables.hpp"
#include "stress/watchdog.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using coir::stress::entry;
using coir::stress::tables;

constexpr int skipped = 77;

const entry* find(const std::string& name) {
    if (name == coir::stress::hang.name) {
        return &coir::stress::hang;
    }
    for (const std::vector<entry>* table : tables) {
        for (const entry& e : *table) {
            if (name == e.name) {
                return &e;
            }
        }
    }
    return nullptr;
}

void print_names(std::FILE* to) {
    for (const std::vector<entry>* table : tables) {
        for (const entry& e : *table) {
            std::fprintf(to, "%s\n", e.name);
        }
    }
}

// All that is to be said of a test, in one line.
void print_outcome(const entry& chosen, const coir::stress::totals& total, double seconds,
                   const std::string& counts, const std::string& wrong) {
    std::printf("%s: %.1f s, done %llu, timed out %llu, cancelled %llu; %s%s%s\n", chosen.name,
                seconds, static_cast<unsigned long long>(total.done),
                static_cast<unsigned long long>(total.timed_out),
                static_cast<unsigned long long>(total.cancelled), counts.c_str(),
                counts.empty() ? "" : ": ", wrong.empty() ? "nothing lost" : wrong.c_str());
}

int run_test(const entry& chosen, std::chrono::duration<double> length, std::uint64_t seed) {
    const std::string subject = std::string(chosen.name) + ", seed " + std::to_string(seed);
    std::printf("%s, %g s\n", subject.c_str(), length.count());
    std::fflush(stdout);
    const coir::stress::watchdog dog(subject, coir::stress::watchdog::usual_patience());
    const auto begin = std::chrono::steady_clock::now();
    auto tested = chosen.make();
    const auto end =
        begin + std::chrono::duration_cast<std::chrono::steady_clock::duration>(length);
    const coir::stress::totals total = coir::stress::put_under_stress(*tested, end, seed);
    const coir::stress::pulse until_all_is_over("the end of the test");
    const std::string wrong = tested->check(total);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    print_outcome(chosen, total, taken.count(), tested->counts(), wrong);
    if (!wrong.empty()) {
        std::fprintf(stderr, "%s: %s\n", subject.c_str(), wrong.c_str());
    }
    return wrong.empty() ? 0 : 1;
}

// Many a promise here goes without anybody who waits for it, on purpose.
void let_results_go_unfetched() {
    coir::detail::set_log_sink([](coir::detail::log_level, std::string_view message) {
        if (message.find("never fetched") == std::string_view::npos) {
            std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
        }
    });
}

// The guest needs a descriptor that its host can watch.
bool can_run(std::string_view name) {
    const char* const reactor = std::getenv("COIR_REACTOR");
    return name != "guest_run" || reactor == nullptr || std::string_view(reactor) != "poll";
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
        std::fprintf(stderr, "usage: stress NAME [SECONDS] [SEED], of these:\n");
        print_names(stderr);
        return 2;
    }
    if (!can_run(chosen->name)) {
        std::printf("%s: needs another reactor than poll\n", chosen->name);
        return skipped;
    }
    let_results_go_unfetched();
    std::uint64_t seed = std::random_device{}();
    try {
        const std::chrono::duration<double> length(words.size() > 1 ? std::stod(words[1]) : 60);
        seed = words.size() > 2 ? std::stoull(words[2]) : seed;
        return run_test(*chosen, length, seed);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s, seed %llu: %s\n", chosen->name,
                     static_cast<unsigned long long>(seed), e.what());
        return 1;
    }
}
