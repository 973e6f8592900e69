// SPDX-License-Identifier: BSL-1.0
// The watchdog: reports fibers that hold their carrier for long.
//
// A thread of its own looks at each carrier several times in the time that is allowed. A carrier
// that has made no turn since the last look, and does not sleep in its poller, is held. When that
// has lasted for too long the kernel is asked what the thread is at, and the thread itself who runs
// (interruption.hpp). It answers when it next leaves the kernel, which is before the stretch ends.
// So the report is made at the end, and says how long it was in all.
//
// The carriers' switches know nothing of it.
#include <coir/hook/hook.hpp>

#include "hook/interpose.hpp"
#include "hook/interruption.hpp"
#include "hook/settings.hpp"
#include "hook/thread_activity.hpp"

#include <coir/detail/interposition.hpp>

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace coir::hook {

namespace detail {

namespace {

using coir::detail::scheduler;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using instant = std::chrono::steady_clock::time_point;

// How often a carrier is looked at in the time that is allowed.
constexpr int looks = 4;

// What lasts for longer is reported while it lasts, and once more when it ends.
constexpr std::chrono::seconds patience{1};

nanoseconds processor_time(clockid_t of) noexcept {
    timespec used{};
    ::clock_gettime(of, &used);
    return std::chrono::seconds(used.tv_sec) + nanoseconds(used.tv_nsec);
}

std::string in_milliseconds(nanoseconds duration) {
    return std::to_string(std::chrono::duration_cast<milliseconds>(duration).count()) + " ms";
}

void write_to_stderr(const std::string& text) noexcept {
    static_cast<void>(COIR_ORIGINAL(write)(STDERR_FILENO, text.data(), text.size()));
}

constexpr const char* not_asked =
    ". Which one, and at what, is not known: its thread blocks signals, waits for one, or took "
    "ours "
    "too late\n";

std::string describe_frames(const interruption::answer& seen) {
    std::string text;
    const std::unique_ptr<char*, void (*)(void*)> lines(
        ::backtrace_symbols(seen.frames.data(), seen.depth), std::free);
    for (int i = 0; lines != nullptr && i < seen.depth; ++i) {
        text += std::string("    ") + lines.get()[i] + '\n';
    }
    return text;
}

std::string describe_fiber(const interruption::answer& seen) {
    const std::string id = std::to_string(seen.fiber);
    const std::string name = seen.name.data();
    return name.empty() ? "fiber " + id : "fiber '" + name + "' (id " + id + ")";
}

// A carrier that is watched. Made, and ended, by its own thread.
class watched_carrier {
public:
    watched_carrier(const scheduler& carrier, interruption& place) noexcept
        : carrier_(carrier), interruption_(place) {
        ::pthread_getcpuclockid(thread_, &processor_clock_);
        begin_stretch(std::chrono::steady_clock::now());
    }

    bool is(const scheduler& carrier) const noexcept { return &carrier_ == &carrier; }
    interruption& place() const noexcept { return interruption_; }

    void look(instant now, nanoseconds threshold) {
        const auto progress = coir::detail::progress_of(carrier_);
        if (progress.asleep || progress.turns != turns_) {
            end_stretch();
            turns_ = progress.turns;
            begin_stretch(now);
            return;
        }
        held_ = now - since_;
        processor_time_ = processor_time(processor_clock_) - processor_time_before_;
        if (stage_ == stage::short_yet && held_ >= threshold) {
            notice();
        } else if (stage_ == stage::noticed && held_ >= patience &&
                   (!asked_ || interruption_.is_answered())) {
            report(" holds its carrier, and has for ");
        }
    }

    // By the carrier's own thread.
    void end() {
        end_stretch();
        if (was_shut_out_) {
            interruption::shut_out();
        }
    }

private:
    void end_stretch() {
        if (stage_ == stage::noticed) {
            report(" held its carrier for ");
        } else if (stage_ == stage::reported) {
            write_to_stderr("coir::hook: " + who_ + " held its carrier for " +
                            in_milliseconds(held_) + " in all\n");
        }
    }

    // of the present stretch
    enum class stage : std::uint8_t {
        short_yet,
        noticed,   // too long; it is being found out why
        reported,  // while it lasts
        of_nobody  // no fiber has to do with it
    };

    void begin_stretch(instant now) noexcept {
        since_ = now;
        held_ = {};
        processor_time_before_ = processor_time(processor_clock_);
        stage_ = stage::short_yet;
    }

    void notice() noexcept {
        stage_ = stage::noticed;
        activity_ = activity_of(id_);
        asked_ = !awaits_signals(activity_) && interruption_.ask(thread_, id_);
    }

    void report(const char* verb) {
        const interruption::answer* seen = asked_ ? interruption_.take() : nullptr;
        if (seen != nullptr && seen->fiber == 0) {
            stage_ = stage::of_nobody;
        } else {
            if (seen != nullptr && seen->turns != turns_) {
                seen = nullptr;  // the signal came too late
            }
            stage_ = stage::reported;
            who_ = seen != nullptr ? describe_fiber(*seen) : "a fiber";
            write_to_stderr("coir::hook: " + who_ + verb + in_milliseconds(held_) + ", " +
                            in_milliseconds(processor_time_) + " of it on a processor, " +
                            describe(activity_) +
                            (seen != nullptr ? ", at\n" + describe_frames(*seen) : not_asked));
        }
        interruption_.let_go();
    }

    const scheduler& carrier_;
    const pthread_t thread_ = ::pthread_self();
    const pid_t id_ = ::gettid();
    const bool was_shut_out_ = interruption::let_in();
    clockid_t processor_clock_{};
    interruption& interruption_;

    std::uint32_t turns_ = coir::detail::progress_of(carrier_).turns;
    stage stage_ = stage::short_yet;
    instant since_;     // it was first seen in this turn
    nanoseconds held_;  // from then to the last look
    nanoseconds processor_time_before_;
    nanoseconds processor_time_{};
    thread_activity activity_ = not_known;
    bool asked_ = false;
    std::string who_;
};

class watcher {
public:
    watcher(nanoseconds threshold, const watcher* of_the_parent) noexcept
        : threshold_(threshold), of_the_parent_(of_the_parent) {}

    nanoseconds threshold() const noexcept { return threshold_; }
    void set_threshold(nanoseconds threshold) noexcept { threshold_ = threshold; }

    void add(const scheduler& carrier) {
        const std::lock_guard guard(mutex_);
        if (idle_places_.empty()) {
            idle_places_.push_back(new interruption);
        }
        carriers_.emplace_back(carrier, *idle_places_.back());
        idle_places_.pop_back();
        if (!watches_) {
            start();
            watches_ = true;
        }
        changed_.notify_one();
    }

    void remove(const scheduler& carrier) {
        const std::lock_guard guard(mutex_);
        const auto found = std::find_if(carriers_.begin(), carriers_.end(),
                                        [&](const auto& one) { return one.is(carrier); });
        if (found != carriers_.end()) {
            found->end();
            idle_places_.push_back(&found->place());
            carriers_.erase(found);
        }
    }

private:
    // Signals are for the program's own threads.
    void start() {
        sigset_t all;
        sigset_t before;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        try {
            std::thread([this] { watch(); }).detach();
        } catch (const std::system_error&) {
            ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
            throw;
        }
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    void watch() noexcept {
        ::pthread_setname_np(::pthread_self(), "coir-watchdog");
        std::unique_lock guard(mutex_);
        for (;;) {
            if (carriers_.empty()) {
                changed_.wait(guard);
            } else {
                changed_.wait_for(guard, threshold() / looks);
            }
            for (watched_carrier& one : carriers_) {
                try {
                    one.look(std::chrono::steady_clock::now(), threshold());
                } catch (const std::exception&) {
                    // No memory to report with.
                }
            }
        }
    }

    std::atomic<nanoseconds> threshold_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool watches_ = false;
    std::list<watched_carrier> carriers_;
    std::vector<interruption*> idle_places_;
    [[maybe_unused]] const watcher* const of_the_parent_;  // for those who look for leaks
};

// Never destroyed: a thread uses it to the end. Null: nobody watches. That of the process whose
// child this is has a mutex that may be locked, and a thread that is not here.
constinit std::atomic<watcher*> current_watcher = nullptr;

void watch_in_child() noexcept {
    watcher* const of_the_parent = current_watcher.load();
    current_watcher = new watcher(of_the_parent->threshold(), of_the_parent);
}

void carrier_begins(const scheduler& carrier) noexcept {
    try {
        current_watcher.load()->add(carrier);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "coir::hook: a carrier is not watched: %s\n", error.what());
    }
}

void carrier_ends(const scheduler& carrier) noexcept {
    try {
        current_watcher.load()->remove(carrier);
    } catch (const std::exception&) {
        // No memory to report with.
    }
}

[[gnu::constructor]] void begin_to_watch() noexcept {
    if (chosen.watchdog.count() != 0) {
        watch_carriers(chosen.watchdog);
    }
}

}  // namespace

}  // namespace detail

void watch_carriers(std::chrono::milliseconds threshold) {
    using namespace detail;
    if (threshold.count() < 1) {
        throw std::invalid_argument("coir::hook::watch_carriers: the threshold is " +
                                    in_milliseconds(threshold) + "; the least is 1 ms");
    }
    static std::mutex& mutex = *new std::mutex;
    const std::lock_guard guard(mutex);
    if (watcher* const present = current_watcher.load()) {
        present->set_threshold(threshold);
        return;
    }
    current_watcher = new watcher(threshold, nullptr);
    interruption::prepare();
    ::pthread_atfork(nullptr, nullptr, watch_in_child);
    coir::detail::call_for_carriers(carrier_begins, carrier_ends);
}

}  // namespace coir::hook
