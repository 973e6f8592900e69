// SPDX-License-Identifier: BSL-1.0
// Usage: stress_carriers [SECONDS] [SEED]
//
// Runs of two to four carriers, one after the other, whose fibers do at random what fibers do to
// each other: spawn, join, cancel, detach, wait in groups, gather, race, under deadlines, scopes
// and shields; some of the runs are under a deadline themselves, and all end with work in flight.
// A run that something is wrong with has its seed printed and fails the program (1): a task that
// was destroyed twice or never, ran twice, left its carrier, was cancelled behind a shield, or an
// exception that nobody has thrown. A lost wake-up or call shows as a hang, which the watchdog
// describes (3).
#include "base/log.hpp"
#include "stress/watchdog.hpp"

#include <coir/coir.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using coir::fiber;
using coir::fiber_options;
using coir::task_group;

struct thrown_by_a_task : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// One run.
class world {
public:
    explicit world(std::uint64_t seed) : seeds_(seed) {}

    std::string check();

private:
    // What a task carries: counts its life.
    class token {
    public:
        explicit token(world& of) : world_(&of) { ++of.made_; }
        token(token&& other) noexcept : world_(std::exchange(other.world_, nullptr)) {}
        token(const token& other) : world_(other.world_) { ++world_->made_; }
        token& operator=(token&&) = delete;
        ~token() {
            if (world_ != nullptr) {
                ++world_->destroyed_;
            }
        }

    private:
        world* world_;
    };

    class random {
    public:
        explicit random(std::uint64_t seed) : engine_(seed) {}
        int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(engine_); }
        std::chrono::microseconds soon(int most = 300) {
            return std::chrono::microseconds(pick(most));
        }
        std::uint64_t seed() { return engine_(); }

    private:
        std::mt19937_64 engine_;
    };

    void fail(const char* what) {
        const char* none = nullptr;
        broken_.compare_exchange_strong(none, what);
    }

    fiber_options somewhere(random& r) const {
        switch (r.pick(4)) {
            case 0: return fiber_options("named").on(r.pick(static_cast<int>(threads_)));
            case 1: return fiber_options("stays").on(fiber_options::this_carrier);
            default: return fiber_options("goes");
        }
    }

    // A callable that does something at random, at most `depth` deep.
    std::function<int()> task(random& r, int depth) {
        return [this, depth, seed = r.seed(), life = token(*this)] {
            const auto carrier = std::this_thread::get_id();
            random own(seed);
            struct at_end {
                ~at_end() {
                    if (std::this_thread::get_id() != carrier) {
                        self.fail("a fiber has left its carrier");
                    }
                    ++self.ended_;
                }
                world& self;
                std::thread::id carrier;
            } const guard{*this, carrier};
            ++started_;
            const int acts = 1 + own.pick(3);
            for (int i = 0; i < acts; ++i) {
                act(own, depth);
            }
            return 1;
        };
    }

    std::vector<std::function<int()>> tasks(random& r, int depth) {
        std::vector<std::function<int()>> made;
        for (int i = 1 + r.pick(4); i > 0; --i) {
            made.push_back(task(r, depth));
        }
        return made;
    }

    void act(random& r, int depth);
    void wait_a_little(random& r);
    void use_a_handle(random& r, int depth);
    void use_a_group(random& r, int depth);
    void cancel_a_scope(random& r, int depth);
    void stay_behind_a_shield(random& r);

    // Lets pass what a task may throw.
    template <class F>
    void tolerate(F&& body) {
        try {
            body();
        } catch (const thrown_by_a_task&) {
        } catch (const coir::task_cancelled&) {
        } catch (const coir::timed_out&) {
        }
    }

    random seeds_;
    std::size_t threads_ = 2;
    std::atomic<long> made_{0};
    std::atomic<long> destroyed_{0};
    std::atomic<long> started_{0};
    std::atomic<long> ended_{0};
    std::atomic<const char*> broken_{nullptr};
};

void world::wait_a_little(random& r) {
    switch (r.pick(6)) {
        case 0: coir::this_fiber::sleep_for(r.soon()); break;
        case 1: coir::this_fiber::sleep_for(1h); break;  // until it is cancelled
        case 2: coir::run_blocking([] { std::this_thread::yield(); }); break;
        case 3: coir::this_fiber::check_cancelled(); break;
        default: coir::this_fiber::yield();
    }
}

void world::use_a_handle(random& r, int depth) {
    fiber f(somewhere(r), task(r, depth));
    if (r.pick(2) == 0) {
        coir::this_fiber::yield();
    }
    switch (r.pick(5)) {
        case 0: f.detach(); break;
        case 1:
            f.cancel();
            f.join();
            break;
        case 2: {  // by another fiber, while it is joined
            fiber canceller(somewhere(r), [&] { f.cancel(); });
            canceller.join();
            f.join();
            break;
        }
        case 3: coir::try_for(r.soon(), [&] { f.join(); }); break;
        default: break;  // the destructor cancels it
    }
}

void world::use_a_group(random& r, int depth) {
    task_group group;
    for (auto& each : tasks(r, depth)) {
        group.spawn(somewhere(r), std::move(each));
    }
    switch (r.pick(4)) {
        case 0: {  // from wherever, also into it
            group.spawn(somewhere(r), [&, inner = task(r, 0)] {
                group.spawn(inner);
                group.cancel();
            });
            group.join();
            break;
        }
        case 1: coir::try_for(r.soon(), [&] { group.join(); }); break;
        case 2:
            group.cancel();
            group.join();
            break;
        default: break;  // the destructor cancels them
    }
}

void world::cancel_a_scope(random& r, int depth) {
    coir::cancel_scope scope;
    fiber canceller(somewhere(r), [&, pause = r.soon()] {
        coir::this_fiber::sleep_for(pause);
        scope.cancel();
    });
    scope.run([&] { act(r, depth - 1); });
    coir::shield([&] { canceller.join(); });
}

// Nothing but a group's own cancellation reaches in.
void world::stay_behind_a_shield(random& r) {
    const auto stay = [this, pause = r.soon()] {
        try {
            coir::this_fiber::sleep_for(pause);
        } catch (const coir::operation_cancelled&) {
            fail("a task was cancelled behind a shield");
            throw;
        }
    };
    coir::shield([&] {
        task_group group;
        for (int i = 1 + r.pick(3); i > 0; --i) {
            group.spawn(somewhere(r), stay);
        }
        group.join();
    });
}

void world::act(random& r, int depth) {
    if (depth <= 0) {
        wait_a_little(r);
        return;
    }
    switch (r.pick(12)) {
        case 0: throw thrown_by_a_task("as it was told to");
        case 1: tolerate([&] { coir::gather(tasks(r, depth - 1)); }); break;
        case 2: tolerate([&] { coir::race(tasks(r, depth - 1)); }); break;
        case 3:
            for (auto& each : coir::as_completed(tasks(r, depth - 1))) {
                tolerate([&] { each.get(); });
                if (r.pick(3) == 0) {
                    break;
                }
            }
            break;
        case 4: tolerate([&] { coir::with_timeout(r.soon(), [&] { act(r, depth - 1); }); }); break;
        case 5:
            tolerate([&] {
                auto result = coir::async(somewhere(r), task(r, depth - 1));
                if (r.pick(2) == 0) {
                    result.cancel();
                }
                result.get();
            });
            break;
        case 6:
        case 7: tolerate([&] { use_a_handle(r, depth - 1); }); break;
        case 8:
        case 9: tolerate([&] { use_a_group(r, depth - 1); }); break;
        case 10: tolerate([&] { cancel_a_scope(r, depth); }); break;
        default: stay_behind_a_shield(r);
    }
}

std::string world::check() {
    coir::run_options options;
    options.threads = static_cast<std::size_t>(2 + seeds_.pick(3));
    threads_ = options.threads;
    coir::stress::watched_run watched("the run");
    const auto body = [&] {
        coir::run(options, [&] {
            watched.here();
            random r(seeds_.seed());
            for (int i = 0; i < 20; ++i) {
                fiber(somewhere(r), task(r, 4)).detach();
            }
            coir::this_fiber::sleep_for(r.soon(2000));
        });
    };
    try {
        if (seeds_.pick(2) == 0) {
            coir::try_for(seeds_.soon(3000), body);
        } else {
            body();
        }
    } catch (const std::exception& e) {
        return std::string("the run has thrown: ") + e.what();
    }
    if (const char* const what = broken_) {
        return what;
    }
    if (made_ != destroyed_ || started_ != ended_) {
        return std::to_string(made_) + " made, " + std::to_string(destroyed_) + " destroyed, " +
               std::to_string(started_) + " started, " + std::to_string(ended_) + " ended";
    }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    const std::chrono::duration<double> length(argc > 1 ? std::stod(argv[1]) : 60);
    std::uint64_t seed = argc > 2 ? std::stoull(argv[2]) : std::random_device{}();
    coir::detail::set_log_sink([](coir::detail::log_level, std::string_view) {});  // on purpose
    std::printf("carriers, seeds from %llu on, %g s\n", static_cast<unsigned long long>(seed),
                length.count());
    std::fflush(stdout);
    coir::stress::watchdog dog("carriers", coir::stress::watchdog::usual_patience());
    coir::stress::pulse runs("a run");
    const auto begin = std::chrono::steady_clock::now();
    std::chrono::duration<double> taken{};
    do {
        const std::string subject = "carriers, seed " + std::to_string(seed);
        dog.subject(subject);
        const std::string wrong = world(seed).check();
        if (!wrong.empty()) {
            std::printf("%s: %s\n", subject.c_str(), wrong.c_str());
            return 1;
        }
        runs.beat();
        ++seed;
        taken = std::chrono::steady_clock::now() - begin;
    } while (taken < length);
    std::printf("carriers: %.1f s, %llu runs: nothing lost\n", taken.count(),
                static_cast<unsigned long long>(runs.steps()));
    return 0;
}
