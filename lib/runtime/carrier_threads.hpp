// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/scheduler.hpp"
#include "runtime/blocking_pool.hpp"

#include <coir/run_options.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace coir::detail {

// The carrier threads of a run but for the one that called it. Each makes its own poller, scheduler
// and stack pool, and then all of them meet twice: before the first fiber runs, since carriers look
// at each other from then on, and when all is over, before the first scheduler goes.
class carrier_threads {
public:
    // Starts options.threads - 1 of them. Returns when all are ready, or throws why one is not,
    // when all have ended.
    carrier_threads(const run_options& options, carrier_group& group, blocking_pool& blocking);
    carrier_threads(const carrier_threads&) = delete;
    carrier_threads& operator=(const carrier_threads&) = delete;
    ~carrier_threads();

    // From begin() on all carriers run fibers: the main fiber's first act, since what fails before
    // must not leave them running. The end of `running` waits until none does any more.
    class running {
    public:
        explicit running(carrier_threads& others) noexcept : others_(others) {}
        running(const running&) = delete;
        running& operator=(const running&) = delete;
        void begin() noexcept {
            begun_ = true;
            others_.set(phase::running);
        }
        ~running() {
            if (begun_) {
                others_.meet_at_the_end();
            }
        }

    private:
        carrier_threads& others_;
        bool begun_ = false;
    };

private:
    enum class phase : std::uint8_t { starting, running, given_up };

    void start(std::size_t number);
    void be_carrier(std::size_t number);
    void become_ready(std::exception_ptr failure) noexcept;
    void set(phase next) noexcept;
    phase await_start() noexcept;
    void meet_at_the_end() noexcept;
    void join_all() noexcept;

    const run_options options_;
    carrier_group& group_;
    blocking_pool& blocking_;
    std::vector<std::thread> threads_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    phase phase_ = phase::starting;
    std::size_t ready_ = 0;  // threads that are ready, or have failed
    std::size_t at_the_end_ = 0;
    std::exception_ptr failure_;
};

}  // namespace coir::detail
