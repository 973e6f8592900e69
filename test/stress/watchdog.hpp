// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace coir::detail {
class carrier_group;
}

namespace coir::stress {

// Somebody who has to get on: counts his steps, for the watchdog, for as long as the object lives.
class pulse {
public:
    explicit pulse(std::string whose);
    pulse(const pulse&) = delete;
    pulse& operator=(const pulse&) = delete;
    ~pulse();

    void beat() noexcept { steps_.fetch_add(1, std::memory_order_relaxed); }

    // Any thread.
    std::uint64_t steps() const noexcept { return steps_.load(std::memory_order_relaxed); }
    const std::string& whose() const noexcept { return whose_; }
    std::uint64_t id() const noexcept { return id_; }  // no other one has it, nor will

private:
    const std::string whose_;
    const std::uint64_t id_;
    std::atomic<std::uint64_t> steps_{0};
};

// A run whose fibers the watchdog can describe, from the call of here() on until the end of this
// object. That comes after the end of the run, since ending is when runs hang.
class watched_run {
public:
    explicit watched_run(std::string name);
    watched_run(const watched_run&) = delete;
    watched_run& operator=(const watched_run&) = delete;
    ~watched_run();

    // By a fiber of the run.
    void here();

    const std::string& name() const noexcept { return name_; }
    detail::carrier_group* carriers() const noexcept { return carriers_; }

private:
    const std::string name_;
    detail::carrier_group* carriers_ = nullptr;  // guarded by the registry's mutex
};

// Ends the program (3) when a pulse has not beaten for as long as `patience`, after it has said on
// stderr whose, what the subject was (which names the seed), what state the threads are in and what
// the fibers of the watched runs wait for. To learn the last it wakes their carriers, which may
// mend what it reports: so that comes when all else has been said.
class watchdog {
public:
    watchdog(std::string subject, std::chrono::seconds patience);
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    ~watchdog();

    // Another subject from now on.
    void subject(std::string what);

    // $COIR_STRESS_PATIENCE, in seconds. Where it is not set, what the build says: a minute, and
    // more under ThreadSanitizer, since a machine may be slow.
    static std::chrono::seconds usual_patience();

private:
    void watch();
    void report(const pulse& p) const;  // with both mutexes held

    const std::chrono::seconds patience_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool over_ = false;
    std::string subject_;
    std::thread thread_;
};

}  // namespace coir::stress
