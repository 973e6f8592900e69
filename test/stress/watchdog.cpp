// SPDX-License-Identifier: BSL-1.0
#include "stress/watchdog.hpp"

#include "core/carrier_group.hpp"
#include "core/inbox.hpp"
#include "core/scheduler.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

namespace coir::stress {

namespace {

constexpr int exit_code_of_a_hang = 3;

std::atomic<std::uint64_t> next_id{0};

// What the program has for the watchdog to see.
struct registry {
    std::mutex mutex;  // guards what follows
    std::vector<const pulse*> pulses;
    std::vector<const watched_run*> runs;

    static registry& get() {
        static registry all;
        return all;
    }
};

template <class T>
void remove(std::vector<T>& from, T what) {
    from.erase(std::find(from.begin(), from.end(), what));
}

// A question to a carrier, which it answers when it looks into its inbox. Never freed: the program
// ends anyway, and the answer may come too late.
struct question : detail::inbox_item {
    explicit question(detail::scheduler& to) noexcept : inbox_item(answer_it), carrier(to) {}

    static void answer_it(inbox_item& item) noexcept {
        auto& self = static_cast<question&>(item);
        std::string text = self.carrier.describe_fibers();
        const std::lock_guard lock(self.mutex);
        self.answer = std::move(text);
        self.answered = true;
        self.changed.notify_one();
    }

    // Empty if no answer comes.
    std::string await_answer() {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, std::chrono::seconds(5), [this] { return answered; });
        return answer;
    }

    detail::scheduler& carrier;
    std::mutex mutex;  // guards what follows
    std::condition_variable changed;
    bool answered = false;
    std::string answer;
};

void print_fibers(const watched_run& run) {
    detail::carrier_group* const carriers = run.carriers();
    for (std::size_t i = 0; carriers != nullptr && i < carriers->size(); ++i) {
        detail::scheduler& carrier = (*carriers)[i];
        auto* const asked = new question(carrier);
        carrier.post(*asked);
        const std::string answer = asked->await_answer();
        std::fprintf(stderr, "%s, carrier %zu:\n%s", run.name().c_str(), i,
                     answer.empty() ? "  does not answer\n" : answer.c_str());
    }
}

// proc(5): a thread that runs (R) spins, one that sleeps (S) waits.
void print_threads() {
    std::error_code none;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", none)) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        std::string stat;
        std::getline(std::ifstream(task.path() / "stat"), stat);
        const std::size_t name_end = stat.rfind(')');
        std::fprintf(stderr, "thread %s '%s': %s\n", task.path().filename().c_str(), name.c_str(),
                     name_end + 2 < stat.size() ? stat.substr(name_end + 2, 1).c_str() : "?");
    }
}

}  // namespace

pulse::pulse(std::string whose) : whose_(std::move(whose)), id_(next_id++) {
    registry& all = registry::get();
    const std::lock_guard lock(all.mutex);
    all.pulses.push_back(this);
}

pulse::~pulse() {
    registry& all = registry::get();
    const std::lock_guard lock(all.mutex);
    remove<const pulse*>(all.pulses, this);
}

watched_run::watched_run(std::string name) : name_(std::move(name)) {
    registry& all = registry::get();
    const std::lock_guard lock(all.mutex);
    all.runs.push_back(this);
}

watched_run::~watched_run() {
    registry& all = registry::get();
    const std::lock_guard lock(all.mutex);
    remove<const watched_run*>(all.runs, this);
}

void watched_run::here() {
    const std::lock_guard lock(registry::get().mutex);
    carriers_ = &detail::scheduler::current()->carriers();
}

watchdog::watchdog(std::string subject, std::chrono::seconds patience)
    : patience_(patience), subject_(std::move(subject)), thread_([this] { watch(); }) {}

watchdog::~watchdog() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
        changed_.notify_one();
    }
    thread_.join();
}

void watchdog::subject(std::string what) {
    const std::lock_guard lock(mutex_);
    subject_ = std::move(what);
}

std::chrono::seconds watchdog::usual_patience() {
    const char* const given = std::getenv("COIR_STRESS_PATIENCE");
    return std::chrono::seconds(given != nullptr ? std::stol(given) : COIR_STRESS_PATIENCE);
}

void watchdog::report(const pulse& p) const {
    std::fprintf(stderr, "%s: a hang: %s has not got on for %lld s\n", subject_.c_str(),
                 p.whose().c_str(), static_cast<long long>(patience_.count()));
    print_threads();
    for (const watched_run* const run : registry::get().runs) {
        print_fibers(*run);
    }
    std::fflush(nullptr);
}

void watchdog::watch() {
    struct sighting {
        std::uint64_t steps;
        std::chrono::steady_clock::time_point since;
    };
    registry& all = registry::get();
    std::map<std::uint64_t, sighting> seen;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::milliseconds(500), [this] { return over_; })) {
        const auto now = std::chrono::steady_clock::now();
        const std::lock_guard registered(all.mutex);
        std::map<std::uint64_t, sighting> next;
        for (const pulse* const p : all.pulses) {
            const auto before = seen.find(p->id());
            const bool still = before != seen.end() && before->second.steps == p->steps();
            const auto since = still ? before->second.since : now;
            next[p->id()] = {p->steps(), since};
            if (now - since >= patience_) {
                report(*p);
                std::_Exit(exit_code_of_a_hang);
            }
        }
        seen = std::move(next);
    }
}

}  // namespace coir::stress
