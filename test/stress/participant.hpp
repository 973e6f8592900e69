// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "stress/watchdog.hpp"

#include <coir/deadline.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>

namespace coir::stress {

// What came of attempts.
struct totals {
    std::uint64_t done = 0;       // they got what they wanted
    std::uint64_t timed_out = 0;  // their own deadline came first, or somebody closed
    std::uint64_t cancelled = 0;  // a scope was cancelled, or its deadline passed

    totals& operator+=(const totals& other) noexcept {
        done += other.done;
        timed_out += other.timed_out;
        cancelled += other.cancelled;
        return *this;
    }
};

// What is decided at random.
class chance {
public:
    explicit chance(std::uint64_t seed) : engine_(seed) {}

    int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(engine_); }
    bool one_in(int n) { return pick(n) == 0; }
    std::chrono::microseconds soon(int most) { return std::chrono::microseconds(pick(most)); }

    // A deadline for a try: mostly soon, sometimes passed or a bit later. `pace` is as
    // test::pace().
    deadline some_deadline(int pace = 1) {
        switch (pick(8)) {
            case 0: return deadline::immediately();
            case 1: return deadline::after(std::chrono::microseconds(500) + soon(1000 * pace));
            default: return deadline::after(soon(50 * pace));
        }
    }

private:
    std::mt19937_64 engine_;
};

// When everybody may leave: the time is over, everybody has had some success, however slow the
// machine is, and nobody waits who needs the others for an answer.
//
// For there are some who are patient: they wait for as long as it takes, with no deadline and out
// of reach of cancellations. A wake-up that is lost is then a hang, and not just one more wait that
// has timed out. There are few of them at a time, so that enough are left to answer. Who becomes
// patient counts itself and then looks at the time; who leaves looks at the time and then at the
// count. So either the one sees that it is too late, or the other that it must stay.
class attendance {
public:
    attendance(std::chrono::steady_clock::time_point end, std::size_t everybody) noexcept
        : end_(end), without_success_(everybody) {}

    bool begin_patience() noexcept {
        if (patient_.fetch_add(1) >= most_patient || time_is_over()) {
            --patient_;
            return false;
        }
        return true;
    }
    void end_patience() noexcept { --patient_; }
    void had_success() noexcept { --without_success_; }  // once each
    void call_it_a_day() noexcept { called_off_ = true; }
    bool may_leave() const noexcept { return time_is_over() && patient_ == 0; }

private:
    static constexpr int most_patient = 4;

    bool time_is_over() const noexcept {
        return called_off_ || (without_success_ == 0 && std::chrono::steady_clock::now() >= end_);
    }

    const std::chrono::steady_clock::time_point end_;
    std::atomic<std::size_t> without_success_;
    std::atomic<bool> called_off_{false};
    std::atomic<int> patient_{0};
};

// What one participant, a fiber or a thread, uses: randomness of its own, and counts that are added
// up in the end.
class participant : public chance {
public:
    enum class kind { fiber, thread };
    enum class result { done, timed_out, cancelled };

    participant(kind what, std::size_t number, std::uint64_t seed, attendance& of_all)
        : chance(seed),
          what_(what),
          number_(number),
          attendance_(of_all),
          pulse_("participant " + std::to_string(number)) {}

    std::size_t number() const noexcept { return number_; }
    const totals& counts() const noexcept { return counts_; }

    // Whether the present attempt is one that waits for as long as it takes.
    bool patient() const noexcept { return patient_; }

    // Whether a wait without a deadline ends in any case: somebody cancels the scopes of fibers,
    // and all others stay for who is patient. A plain thread looks at its scope when it begins a
    // wait, and not while it waits.
    bool may_wait_for_ever() const noexcept { return patient_ || what_ == kind::fiber; }

    // As chance's, and never for who is patient.
    deadline some_deadline(int pace = 1) {
        return patient_ ? deadline::never() : chance::some_deadline(pace);
    }

    void begin_attempt() { patient_ = one_in(16) && attendance_.begin_patience(); }
    void count(result r) noexcept {
        switch (r) {
            case result::done:
                if (++counts_.done == some_success) {
                    attendance_.had_success();
                }
                break;
            case result::timed_out: ++counts_.timed_out; break;
            case result::cancelled: ++counts_.cancelled; break;
        }
    }
    void end_attempt() noexcept {
        if (patient_) {
            attendance_.end_patience();
        }
        pulse_.beat();
    }

private:
    static constexpr std::uint64_t some_success = 3;

    const kind what_;
    const std::size_t number_;
    attendance& attendance_;
    bool patient_ = false;
    totals counts_;
    pulse pulse_;
};

}  // namespace coir::stress
