// SPDX-License-Identifier: BSL-1.0
#include <coir/run.hpp>

#include "core/scheduler.hpp"
#include "core/scope.hpp"
#include "reactor/poller.hpp"
#include "reactor/reactor.hpp"
#include "runtime/blocking_pool.hpp"
#include "runtime/virtual_time_source.hpp"
#include "time/clock.hpp"

#include <coir/cancellation.hpp>

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace coir {

namespace detail {

class blocking_pool_scope {
public:
    explicit blocking_pool_scope(blocking_pool& pool) noexcept { blocking_pool::current_ = &pool; }
    blocking_pool_scope(const blocking_pool_scope&) = delete;
    blocking_pool_scope& operator=(const blocking_pool_scope&) = delete;
    ~blocking_pool_scope() { blocking_pool::current_ = nullptr; }
};

namespace {

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

void run_on(const run_options& options, idle_source& idle, function_ref body) {
    scheduler fibers({options.stack_size, override_by_environment(options.guard)}, idle);
    try {
        fibers.run_main(body);
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

void run_main_fiber(const run_options& options, function_ref body) {
    if (scheduler::current() != nullptr) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                                "coir::run: this thread runs fibers already; spawn a coir::fiber");
    }
    if (options.blocking_threads == 0) {
        throw std::invalid_argument("coir: run_options::blocking_threads is 0; the least is 1");
    }
    // Last made, first to go: fibers end before the pool, the pool before the reactor.
    reactor events(make_poller(options.reactor));
    blocking_pool blocking(options.blocking_threads);
    const blocking_pool_scope current_pool(blocking);
    if (options.clock == clock_kind::virtual_time) {
        // Deadlines of scopes around this run, if there are any, are of the outer clock: this one
        // then goes on from there, so that as much is left inside as outside.
        virtual_clock time(innermost_scope() != nullptr ? now() : virtual_clock::start);
        const clock_scope current_clock(time);
        virtual_time_source idle(events, blocking, time);
        run_on(options, idle, body);
    } else {
        run_on(options, events, body);
    }
}

}  // namespace detail

deadlock_error::~deadlock_error() = default;

}  // namespace coir
