// SPDX-License-Identifier: BSL-1.0
#include <coir/guest_run.hpp>

#include "core/carrier_group.hpp"
#include "core/guest.hpp"
#include "core/scheduler.hpp"
#include "reactor/poller.hpp"
#include "reactor/reactor.hpp"
#include "runtime/blocking_pool.hpp"
#include "runtime/fork.hpp"
#include "runtime/settings.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace coir {

namespace {

using detail::reactor;
using detail::scheduler;

// A scheduler's look at the reactor never skips the kernel here: the host's loop would otherwise
// see the descriptor readable, by a wake-up that nobody takes, for ever.
class guest_source final : public detail::idle_source {
public:
    explicit guest_source(reactor& events) noexcept : events_(events) {}
    void wait(deadline until) noexcept override { events_.take_events(until); }
    void wake() noexcept override { events_.wake(); }

private:
    reactor& events_;
};

void check(const run_options& options) {
    if (options.threads != 1) {
        throw std::invalid_argument("coir::guest_run: run_options::threads is " +
                                    std::to_string(options.threads) +
                                    "; a guest has its host's thread alone");
    }
    if (options.clock != clock_kind::steady) {
        throw std::invalid_argument(
            "coir::guest_run: run_options::clock is virtual_time; a guest goes by its host's");
    }
}

}  // namespace

struct guest_run::state {
    explicit state(const run_options& options)
        : blocking({"coir-blocking", options.blocking_threads}),
          events(detail::make_poller(options.reactor, detail::watched_by::another_loop)),
          source(events),
          fibers(detail::settings_of(options), source) {
        if (events.descriptor() < 0) {
            throw std::invalid_argument(std::string("coir::guest_run: the reactor ") +
                                        events.backend_name() +
                                        " has no descriptor that a host could watch; use epoll "
                                        "(run_options::reactor, COIR_REACTOR)");
        }
        guest.emplace(fibers);
    }
    ~state() {
        const presence here(*this);
        guest.reset();
    }

    // What makes the thread a carrier's, but for the scheduler, which guest sees to. At its end it
    // is the host that waits, and the kernel has to know for what.
    class presence {
    public:
        explicit presence(state& s) noexcept
            : events_(s.events), reactor_(s.events), pool_(s.blocking) {}
        presence(const presence&) = delete;
        presence& operator=(const presence&) = delete;
        ~presence() { events_.submit(); }

    private:
        reactor& events_;
        const reactor::on_this_thread reactor_;
        const detail::blocking_pool_scope pool_;
    };

    blocking_pool blocking;
    reactor events;
    guest_source source;
    scheduler fibers;
    std::optional<scheduler::guest> guest;
};

guest_run::guest_run(const run_options& options) {
    check(options);
    if (scheduler::current() != nullptr) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                                "coir::guest_run: this thread runs fibers already");
    }
    detail::follow_forks();
    state_ = std::make_unique<state>(options);
}

guest_run::~guest_run() = default;

int guest_run::descriptor() const noexcept { return state_->events.descriptor(); }

deadline guest_run::next_deadline() const noexcept { return state_->guest->next_deadline(); }

std::size_t guest_run::live_fibers() const noexcept { return state_->guest->live_fibers(); }

void guest_run::run_ready() {
    const state::presence here(*state_);
    state_->guest->run_ready();
}

void guest_run::stay(detail::function_ref body) {
    const state::presence here(*state_);
    state_->guest->stay(body);
}

}  // namespace coir
