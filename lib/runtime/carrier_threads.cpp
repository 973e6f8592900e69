// SPDX-License-Identifier: BSL-1.0
#include "runtime/carrier_threads.hpp"

#include "base/libc_only.hpp"
#include "core/carrier_group.hpp"
#include "reactor/poller.hpp"
#include "reactor/reactor.hpp"
#include "runtime/settings.hpp"
#include "runtime/signals_blocked.hpp"

#include <pthread.h>
#include <string>
#include <system_error>

namespace coir::detail {

carrier_threads::carrier_threads(const run_options& options, carrier_group& group,
                                 blocking_pool& blocking)
    : options_(options), group_(group), blocking_(blocking) {
    try {
        for (std::size_t number = 1; number < options_.threads; ++number) {
            start(number);
        }
    } catch (...) {
        become_ready(std::current_exception());
    }
    std::exception_ptr failure;
    {
        std::unique_lock guard(mutex_);
        changed_.wait(guard, [this] { return ready_ >= threads_.size(); });
        failure = failure_;
    }
    if (failure) {
        set(phase::given_up);
        join_all();
        std::rethrow_exception(failure);
    }
}

carrier_threads::~carrier_threads() {
    set(phase::given_up);  // if they were never let run
    join_all();
}

void carrier_threads::start(std::size_t number) {
    threads_.reserve(options_.threads - 1);
    const signals_blocked for_the_new_thread;
    try {
        threads_.emplace_back([this, number] { be_carrier(number); });
    } catch (const std::system_error& error) {
        throw std::system_error(error.code(), "coir: carrier thread " + std::to_string(number) +
                                                  " cannot be started (limits: ulimit -u, "
                                                  "run_options::threads is " +
                                                  std::to_string(options_.threads) + ")");
    }
}

void carrier_threads::be_carrier(std::size_t number) {
#ifdef __linux__
    pthread_setname_np(pthread_self(), ("coir-" + std::to_string(number)).c_str());
#endif
    bool is_ready = false;
    bool started = false;
    try {
        reactor events(make_poller(options_.reactor));
        const reactor::on_this_thread current_reactor(events);
        const blocking_pool_scope current_pool(blocking_);
        scheduler fibers(settings_of(options_), events, group_, number);
        fibers.run_along([&] {
            const libc_only no_switch;  // it would look for work at carriers that are not there yet
            is_ready = true;
            become_ready(nullptr);
            started = await_start() == phase::running;
            return started;
        });
        if (started) {
            meet_at_the_end();
        }
    } catch (...) {
        if (is_ready) {
            throw;  // a bug: nothing above throws from then on
        }
        become_ready(std::current_exception());
    }
}

void carrier_threads::become_ready(std::exception_ptr failure) noexcept {
    const std::lock_guard guard(mutex_);
    ++ready_;
    if (failure && !failure_) {
        failure_ = std::move(failure);
    }
    changed_.notify_all();
}

void carrier_threads::set(phase next) noexcept {
    const std::lock_guard guard(mutex_);
    if (phase_ == phase::starting) {
        phase_ = next;
        changed_.notify_all();
    }
}

carrier_threads::phase carrier_threads::await_start() noexcept {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return phase_ != phase::starting; });
    return phase_;
}

void carrier_threads::meet_at_the_end() noexcept {
    std::unique_lock guard(mutex_);
    ++at_the_end_;
    changed_.notify_all();
    changed_.wait(guard, [this] { return at_the_end_ == group_.size(); });
}

void carrier_threads::join_all() noexcept {
    for (std::thread& one : threads_) {
        one.join();
    }
    threads_.clear();
}

}  // namespace coir::detail
