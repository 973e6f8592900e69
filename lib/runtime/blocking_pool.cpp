// SPDX-License-Identifier: BSL-1.0
#include "runtime/blocking_pool.hpp"

#include "base/assert.hpp"
#include "core/local_values.hpp"
#include "core/waiter.hpp"
#include "runtime/signals_blocked.hpp"

#include <coir/cancellation.hpp>
#include <coir/detail/spin_lock.hpp>
#include <coir/wait_queue.hpp>

#include <pthread.h>
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace coir {

namespace {

constinit thread_local blocking_pool* pool_of_this_carrier = nullptr;
constinit thread_local std::size_t calls_awaited_by_this_carrier = 0;

// Long enough for anybody, and short enough for the clock.
constexpr std::chrono::hours longest_idle_time{24 * 365};

// pthread_setname_np(3): 15 characters and a zero. The number is what tells threads apart.
std::string thread_name(const std::string& pool, std::uint64_t number) {
    constexpr std::size_t longest = 15;
    const std::string suffix = '-' + std::to_string(number);
    return pool.substr(0, longest - std::min(longest, suffix.size())) + suffix;
}

}  // namespace

// One call, in line, running or ended.
struct blocking_pool::job {
    // On a thread of the pool, with the caller's inherited values.
    void call() noexcept {
        auto& here = detail::inherited_values::current();
        here = std::exchange(inherited, {});
        try {
            owned != nullptr ? owned->invoke() : (*body)();
        } catch (...) {
            thrown = std::current_exception();
        }
        here = {};
    }

    void publish() noexcept {
        const std::lock_guard guard(lock);
        ended = true;
        waiting.unpark_all();
    }

    const detail::function_ref* body = nullptr;  // on the caller's stack, who waits
    std::shared_ptr<detail::abandonable_call> owned;
    detail::inherited_values inherited = detail::inherited_values::current();
    std::exception_ptr thrown;  // the thread's, and from publish() on the caller's
    bool completed = false;     // guarded by the pool's mutex

    detail::spin_lock lock;  // guards what follows
    bool ended = false;
    wait_queue waiting;
};

// What the callers and the threads share.
//
// A thread that runs no call is idle, from its start on: it waits for work, or is about to look for
// some, with the mutex held. So whoever puts a call in line needs a new thread only if more calls
// are in line than threads are idle.
struct blocking_pool::state : std::enable_shared_from_this<blocking_pool::state> {
    explicit state(blocking_pool_options&& chosen) : options(std::move(chosen)) {}

    void run(const std::shared_ptr<job>& one);
    void submit(const std::shared_ptr<job>& one);
    void await(const std::shared_ptr<job>& one);
    bool take_back(const std::shared_ptr<job>& one) noexcept;
    void start_thread();
    void work(std::uint64_t number) noexcept;

    // The pool whose thread this is.
    static constinit thread_local const state* served;

    const blocking_pool_options options;
    std::mutex mutex;  // guards what follows
    std::condition_variable work_or_end;
    std::deque<std::shared_ptr<job>> line;
    std::size_t threads = 0;
    std::size_t running = 0;
    std::size_t awaited = 0;  // by callers
    std::uint64_t started = 0;
    std::uint64_t completed = 0;
    std::uint64_t abandoned = 0;
    bool ending = false;
};

constinit thread_local const blocking_pool::state* blocking_pool::state::served = nullptr;

void blocking_pool::state::run(const std::shared_ptr<job>& one) {
    detail::check_cancelled();
    submit(one);
    struct awaiting {
        explicit awaiting(state& s) noexcept : pool(s) { ++calls_awaited_by_this_carrier; }
        ~awaiting() {
            --calls_awaited_by_this_carrier;
            const std::lock_guard guard(pool.mutex);
            --pool.awaited;
        }
        state& pool;
    } const counted(*this);
    await(one);
}

void blocking_pool::state::submit(const std::shared_ptr<job>& one) {
    const std::lock_guard guard(mutex);
    line.push_back(one);
    if (threads - running >= line.size()) {
        work_or_end.notify_one();
    } else if (threads < options.max_threads) {
        try {
            start_thread();
        } catch (...) {
            if (threads == 0) {  // else those that there are will come to it
                line.pop_back();
                throw;
            }
        }
    }
    ++awaited;
}

// With the mutex held.
void blocking_pool::state::start_thread() {
    const detail::signals_blocked for_the_new_thread;
    try {
        std::thread([self = shared_from_this(), number = started + 1] {
            self->work(number);
        }).detach();
    } catch (const std::system_error& error) {
        throw std::system_error(
            error.code(), "coir: run_blocking cannot start a thread of the pool '" + options.name +
                              "', which has " + std::to_string(threads) +
                              " (limits: ulimit -u, blocking_pool_options::max_threads, for the "
                              "pool of a run run_options::blocking_threads)");
    }
    ++started;
    ++threads;
}

void blocking_pool::state::await(const std::shared_ptr<job>& one) {
    std::unique_lock guard(one->lock);
    cancellable cancel = cancellable::yes;
    while (!one->ended) {
        const wait_label what{"a blocking call", -1, true};
        if (one->waiting.park(guard, deadline::never(), what, cancel) != wait_status::cancelled) {
            continue;
        }
        guard.unlock();
        if (take_back(one)) {
            throw operation_cancelled();
        }
        cancel = cancellable::no;  // it runs, and may use our stack
        guard.lock();
    }
    if (one->thrown) {
        std::rethrow_exception(std::exchange(one->thrown, nullptr));
    }
}

// Whether a cancelled caller may go: the call has not begun, or may be left behind.
bool blocking_pool::state::take_back(const std::shared_ptr<job>& one) noexcept {
    const std::lock_guard guard(mutex);
    const auto found = std::find(line.begin(), line.end(), one);
    if (found != line.end()) {
        line.erase(found);
        return true;
    }
    if (one->owned != nullptr && !one->completed) {
        ++abandoned;
    }
    return one->owned != nullptr;
}

void blocking_pool::state::work(std::uint64_t number) noexcept {
#ifdef __linux__
    pthread_setname_np(pthread_self(), thread_name(options.name, number).c_str());
#endif
    served = this;
    std::unique_lock guard(mutex);
    for (;;) {
        if (!line.empty()) {
            std::shared_ptr<job> one = std::move(line.front());
            line.pop_front();
            ++running;
            guard.unlock();
            one->call();
            guard.lock();
            --running;
            ++completed;
            one->completed = true;
            guard.unlock();
            one->publish();  // after the counts, so that the caller finds them right
            one.reset();
            guard.lock();
            continue;
        }
        if (ending) {
            break;
        }
        // The system clock, whose waits ThreadSanitizer follows; how long exactly does not matter.
        const auto until = std::chrono::system_clock::now() +
                           std::min<std::chrono::nanoseconds>(options.idle_time, longest_idle_time);
        if (!work_or_end.wait_until(guard, until, [&] { return ending || !line.empty(); })) {
            break;
        }
    }
    --threads;
}

blocking_pool::blocking_pool(blocking_pool_options options) {
    if (options.max_threads == 0) {
        throw std::invalid_argument("coir: blocking_pool_options::max_threads of the pool '" +
                                    options.name + "' is 0; the least is 1");
    }
    state_ = std::make_shared<state>(std::move(options));
}

blocking_pool::~blocking_pool() {
    const std::lock_guard guard(state_->mutex);
    COIR_ASSERT(state_->awaited == 0, "a blocking pool is destroyed while somebody waits for it");
    state_->ending = true;
    state_->work_or_end.notify_all();
}

blocking_pool_statistics blocking_pool::statistics() const noexcept {
    const std::lock_guard guard(state_->mutex);
    blocking_pool_statistics counts;
    counts.threads = state_->threads;
    counts.idle = state_->threads - state_->running;
    counts.running = state_->running;
    counts.queued = state_->line.size();
    counts.completed = state_->completed;
    counts.abandoned = state_->abandoned;
    return counts;
}

blocking_pool_statistics blocking_statistics() noexcept {
    const blocking_pool* const pool = detail::current_blocking_pool();
    return pool != nullptr ? pool->statistics() : blocking_pool_statistics();
}

const std::string& blocking_pool::name() const noexcept { return state_->options.name; }

void blocking_pool::run(detail::function_ref body) {
    if (state::served == state_.get()) {
        body();  // in line behind itself it might wait for ever
        return;
    }
    const auto one = std::make_shared<job>();
    one->body = &body;
    state_->run(one);
}

void blocking_pool::run(const std::shared_ptr<detail::abandonable_call>& call) {
    if (state::served == state_.get()) {
        call->invoke();
        return;
    }
    const auto one = std::make_shared<job>();
    one->owned = call;
    state_->run(one);
}

namespace detail {

abandonable_call::~abandonable_call() = default;

blocking_pool* current_blocking_pool() noexcept { return pool_of_this_carrier; }
void leave_blocking_pool_in_child() noexcept { pool_of_this_carrier = nullptr; }
std::size_t blocking_calls_awaited() noexcept { return calls_awaited_by_this_carrier; }

blocking_pool_scope::blocking_pool_scope(blocking_pool& pool) noexcept {
    pool_of_this_carrier = &pool;
}
blocking_pool_scope::~blocking_pool_scope() { pool_of_this_carrier = nullptr; }

void run_on_blocking_pool(function_ref body) {
    if (blocking_pool* const pool = current_blocking_pool()) {
        pool->run(body);
    } else {
        body();
    }
}

void run_on_blocking_pool(const std::shared_ptr<abandonable_call>& call) {
    if (blocking_pool* const pool = current_blocking_pool()) {
        pool->run(call);
    } else {
        call->invoke();
    }
}

}  // namespace detail
}  // namespace coir
