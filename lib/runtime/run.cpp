// SPDX-License-Identifier: BSL-1.0
#include <coir/run.hpp>

#include "core/carrier_group.hpp"
#include "core/scheduler.hpp"
#include "core/scope.hpp"
#include "reactor/poller.hpp"
#include "reactor/reactor.hpp"
#include "runtime/blocking_pool.hpp"
#include "runtime/carrier_threads.hpp"
#include "runtime/fork.hpp"
#include "runtime/settings.hpp"
#include "runtime/virtual_time_source.hpp"
#include "time/clock.hpp"

#include <coir/cancellation.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace coir {

namespace detail {

namespace {

constexpr std::size_t most_threads = 1024;

guard_kind override_by_environment(guard_kind kind) {
    const char* const text = std::getenv("COIR_GUARD");
    const std::string_view name = text != nullptr ? text : "";
    if (name.empty()) {
        return kind;
    }
    if (name == "madvise") {
        return guard_kind::madvise;
    }
    if (name == "mprotect") {
        return guard_kind::mprotect;
    }
    throw std::invalid_argument("coir: the environment variable COIR_GUARD is '" +
                                std::string(name) + "'; it may be 'madvise' or 'mprotect'");
}

void check(const run_options& options) {
    if (scheduler::current() != nullptr) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                                "coir::run: this thread runs fibers already; spawn a coir::fiber");
    }
    if (options.blocking_threads == 0) {
        throw std::invalid_argument("coir: run_options::blocking_threads is 0; the least is 1");
    }
    if (options.threads == 0 || options.threads > most_threads) {
        throw std::invalid_argument("coir: run_options::threads is " +
                                    std::to_string(options.threads) +
                                    "; the least is 1, the most " + std::to_string(most_threads));
    }
    if (options.threads > 1 && options.clock == clock_kind::virtual_time) {
        throw std::invalid_argument(
            "coir: run_options::clock is virtual_time, which one thread alone can have; "
            "run_options::threads is " +
            std::to_string(options.threads));
    }
}

void run_on(scheduler& fibers, carrier_threads& others, function_ref body) {
    try {
        carrier_threads::running running(others);
        const auto begin_and_call = [&] {
            running.begin();
            body();
        };
        fibers.run_main(begin_and_call);
    } catch (const operation_cancelled&) {
        if (fibers.deadlock_report().empty()) {  // it is of a scope around run()
            if (scope* const outer = innermost_scope()) {
                outer->refresh();  // as long as this run's clock, which may be virtual, is the one
            }
            throw;
        }
    }
    if (!fibers.deadlock_report().empty()) {
        throw deadlock_error("coir: " + fibers.deadlock_report());
    }
}

}  // namespace

scheduler::settings settings_of(const run_options& options) {
    const bool exact = options.clock == clock_kind::virtual_time;
    return {options.stack_size, override_by_environment(options.guard),
            exact ? std::chrono::nanoseconds(0) : options.timer_slack};
}

void run_main_fiber(const run_options& options, function_ref body) {
    check(options);
    follow_forks();
    // Last made, first to go: fibers end before the reactor, and all carriers before the pool.
    blocking_pool blocking({"coir-blocking", options.blocking_threads});
    carrier_group group(options.threads);
    carrier_threads others(options, group, blocking);
    reactor events(make_poller(options.reactor));
    const reactor::on_this_thread current_reactor(events);
    const blocking_pool_scope current_pool(blocking);
    if (options.clock == clock_kind::virtual_time) {
        // Deadlines of scopes around this run, if there are any, are of the outer clock: this one
        // then goes on from there, so that as much is left inside as outside.
        virtual_clock time(innermost_scope() != nullptr ? now() : virtual_clock::start);
        const clock_scope current_clock(time);
        virtual_time_source idle(events, time);
        scheduler fibers(settings_of(options), idle, group, 0);
        run_on(fibers, others, body);
    } else {
        scheduler fibers(settings_of(options), events, group, 0);
        run_on(fibers, others, body);
    }
}

}  // namespace detail

deadlock_error::~deadlock_error() = default;

}  // namespace coir
