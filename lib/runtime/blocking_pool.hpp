// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/spin_lock.hpp"

#include <coir/blocking.hpp>
#include <coir/detail/function_ref.hpp>
#include <coir/wait_queue.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>

namespace coir::detail {

// Threads for calls that block. They are started when a call finds none idle, up to a limit, and
// end after they were idle for a while, or with the pool.
//
// The pool's end waits for no call: those that somebody awaits have ended by then, as nothing
// outlives run(), and abandoned ones finish by themselves.
class blocking_pool {
public:
    static constexpr std::chrono::seconds default_idle_time{10};

    explicit blocking_pool(std::size_t most_threads,
                           std::chrono::nanoseconds idle_time = default_idle_time);
    blocking_pool(const blocking_pool&) = delete;
    blocking_pool& operator=(const blocking_pool&) = delete;
    ~blocking_pool();

    // Run a call on a thread of the pool and wait for its end; rethrow what escaped it.
    void run(function_ref body);
    void run(const std::shared_ptr<abandonable_call>& call);

    // The pool of the calling carrier; null elsewhere.
    static blocking_pool* current() noexcept;

    // Calls that somebody waits for.
    std::size_t awaited() const noexcept { return awaited_; }
    std::size_t threads() const noexcept;

private:
    friend class blocking_pool_scope;  // sets what current() returns

    struct job;
    struct state;

    void submit(const std::shared_ptr<job>& one);
    void await(const std::shared_ptr<job>& one, bool abandonable);
    static void work(const std::shared_ptr<state>& pool) noexcept;
    static void start_thread(const std::shared_ptr<state>& pool);

    static constinit thread_local blocking_pool* current_;

    std::shared_ptr<state> state_;  // shared with the threads, some of which may outlive the pool
    std::size_t awaited_ = 0;
};

// Makes a pool the calling carrier's.
class blocking_pool_scope {
public:
    explicit blocking_pool_scope(blocking_pool& pool) noexcept { blocking_pool::current_ = &pool; }
    blocking_pool_scope(const blocking_pool_scope&) = delete;
    blocking_pool_scope& operator=(const blocking_pool_scope&) = delete;
    ~blocking_pool_scope() { blocking_pool::current_ = nullptr; }
};

}  // namespace coir::detail
