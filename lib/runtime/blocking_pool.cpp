// SPDX-License-Identifier: BSL-1.0
#include "runtime/blocking_pool.hpp"

#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "core/waiter.hpp"

#include <coir/cancellation.hpp>

#include <pthread.h>
#include <signal.h>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

namespace coir::detail {

namespace {

// Signals are for the program's own threads: while one of these lives, new threads block them all.
class all_signals_blocked {
public:
    all_signals_blocked() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;
    ~all_signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

}  // namespace

abandonable_call::~abandonable_call() = default;

constinit thread_local blocking_pool* blocking_pool::current_ = nullptr;

blocking_pool* blocking_pool::current() noexcept { return current_; }

// One call, in line, running or ended.
struct blocking_pool::job {
    void run() noexcept {
        std::exception_ptr thrown;
        try {
            call != nullptr ? call->invoke() : (*body)();
        } catch (...) {
            thrown = std::current_exception();
        }
        const std::lock_guard guard(lock);
        failure = std::move(thrown);
        ended = true;
        waiting.unpark_all();
    }

    const function_ref* body = nullptr;  // on the caller's stack, who waits
    std::shared_ptr<abandonable_call> call;

    spin_lock lock;  // guards what follows
    bool ended = false;
    std::exception_ptr failure;
    wait_queue waiting;
};

struct blocking_pool::state {
    state(std::size_t limit, std::chrono::nanoseconds longest_idle) noexcept
        : most_threads(limit), idle_time(longest_idle) {}

    const std::size_t most_threads;
    const std::chrono::nanoseconds idle_time;  // after which a thread ends
    std::mutex mutex;                          // guards what follows
    std::condition_variable work_or_end;
    std::deque<std::shared_ptr<job>> line;
    std::size_t threads = 0;
    std::size_t idle = 0;
    bool ending = false;
};

blocking_pool::blocking_pool(std::size_t most_threads, std::chrono::nanoseconds idle_time)
    : state_(std::make_shared<state>(most_threads, idle_time)) {}

blocking_pool::~blocking_pool() {
    {
        const std::lock_guard guard(state_->mutex);
        state_->ending = true;
    }
    state_->work_or_end.notify_all();
}

std::size_t blocking_pool::threads() const noexcept {
    const std::lock_guard guard(state_->mutex);
    return state_->threads;
}

void blocking_pool::run(function_ref body) {
    const auto one = std::make_shared<job>();
    one->body = &body;
    submit(one);
    await(one, false);
}

void blocking_pool::run(const std::shared_ptr<abandonable_call>& call) {
    const auto one = std::make_shared<job>();
    one->call = call;
    submit(one);
    await(one, true);
}

void blocking_pool::submit(const std::shared_ptr<job>& one) {
    check_cancelled();
    const std::lock_guard guard(state_->mutex);
    state_->line.push_back(one);
    if (state_->idle >= state_->line.size()) {
        state_->work_or_end.notify_one();
    } else if (state_->threads < state_->most_threads) {
        try {
            start_thread(state_);
        } catch (...) {
            if (state_->threads == 0) {  // else those that there are will come to it
                state_->line.pop_back();
                throw;
            }
        }
    }
}

// With the mutex held.
void blocking_pool::start_thread(const std::shared_ptr<state>& pool) {
    const all_signals_blocked for_the_new_thread;
    try {
        std::thread([pool] { work(pool); }).detach();
    } catch (const std::system_error& error) {
        throw std::system_error(error.code(),
                                "coir: run_blocking cannot start a thread; " +
                                    std::to_string(pool->threads) +
                                    " run (limits: ulimit -u, run_options::blocking_threads)");
    }
    ++pool->threads;
}

void blocking_pool::await(const std::shared_ptr<job>& one, bool abandonable) {
    struct counted {
        explicit counted(std::size_t& n) noexcept : count(n) { ++count; }
        ~counted() { --count; }
        std::size_t& count;
    } const counting(awaited_);

    std::unique_lock guard(one->lock);
    cancellable cancel = cancellable::yes;
    while (!one->ended) {
        const wait_label what{"a blocking call", -1, true};
        if (one->waiting.park(guard, deadline::never(), what, cancel) != wait_status::cancelled) {
            continue;
        }
        guard.unlock();
        bool taken_back = false;
        {
            const std::lock_guard line_guard(state_->mutex);
            auto& line = state_->line;
            const auto found = std::find(line.begin(), line.end(), one);
            taken_back = found != line.end();
            if (taken_back) {
                line.erase(found);
            }
        }
        if (taken_back || abandonable) {
            throw operation_cancelled();
        }
        cancel = cancellable::no;  // it runs, and may use our stack
        guard.lock();
    }
    if (one->failure) {
        std::rethrow_exception(std::exchange(one->failure, nullptr));
    }
}

void blocking_pool::work(const std::shared_ptr<state>& pool) noexcept {
#ifdef __linux__
    pthread_setname_np(pthread_self(), "coir-blocking");
#endif
    std::unique_lock guard(pool->mutex);
    for (;;) {
        if (!pool->line.empty()) {
            std::shared_ptr<job> one = std::move(pool->line.front());
            pool->line.pop_front();
            guard.unlock();
            one->run();
            one.reset();
            guard.lock();
            continue;
        }
        if (pool->ending) {
            break;
        }
        ++pool->idle;
        // The system clock, whose waits ThreadSanitizer follows; how long exactly does not matter.
        const auto until = std::chrono::system_clock::now() + pool->idle_time;
        const bool called = pool->work_or_end.wait_until(
            guard, until, [&] { return pool->ending || !pool->line.empty(); });
        --pool->idle;
        if (!called) {
            break;
        }
    }
    --pool->threads;
}

void run_on_blocking_pool(function_ref body) {
    if (blocking_pool* const pool = blocking_pool::current()) {
        pool->run(body);
    } else {
        body();
    }
}

void run_on_blocking_pool(std::shared_ptr<abandonable_call> call) {
    if (blocking_pool* const pool = blocking_pool::current()) {
        pool->run(call);
    } else {
        call->invoke();
    }
}

}  // namespace coir::detail
