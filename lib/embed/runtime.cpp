// SPDX-License-Identifier: BSL-1.0
#include <coir/runtime.hpp>

#include "base/assert.hpp"
#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "core/carrier_group.hpp"
#include "core/local_values.hpp"
#include "core/scheduler.hpp"
#include "runtime/signals_blocked.hpp"

#include <coir/detail/spin_lock.hpp>
#include <coir/run.hpp>
#include <coir/wait_queue.hpp>

#include <pthread.h>
#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

namespace coir {

detail::submission::~submission() = default;

namespace {

using detail::carrier_group;
using detail::inherited_values;
using detail::scheduler;
using detail::submission;

// A submission, on its way to a carrier by the inbox. It holds the group, so that the carriers wait
// for it.
class posted_submission : detail::inbox_item {
public:
    explicit posted_submission(std::unique_ptr<submission> work) noexcept
        : inbox_item(deliver_and_delete), work_(std::move(work)) {}

    // From here on it has to be sent. The group exists, and does not end before it has arrived.
    void hold(carrier_group& carriers) noexcept {
        carriers.hold();
        carriers_ = &carriers;
    }

    static void send(std::unique_ptr<posted_submission> item, std::size_t to) noexcept {
        carrier_group& carriers = *item->carriers_;
        carriers[to].post(*item.release());
    }

private:
    static void deliver_and_delete(inbox_item& item) noexcept {
        const std::unique_ptr<posted_submission> self(&static_cast<posted_submission&>(item));
        // The fiber inherits from who has submitted it, not from the one that happens to run.
        inherited_values& here = inherited_values::current();
        const inherited_values before = std::exchange(here, self->inherited_);
        try {
            self->work_->spawn();
        } catch (...) {
            self->work_->could_not_spawn(std::current_exception());
        }
        here = before;
        self->carriers_->let_go();
    }

    std::unique_ptr<submission> work_;
    carrier_group* carriers_ = nullptr;
    inherited_values inherited_ = inherited_values::current();
};

}  // namespace

struct runtime::state {
    explicit state(const run_options& chosen) : options(chosen) {}

    void be_main_carrier(std::promise<void> started) noexcept;
    void await_end();

    const run_options options;
    std::thread main_carrier;
    std::atomic<std::size_t> turn{0};  // which carrier gets the next submission

    detail::spin_lock lock;             // guards what follows
    carrier_group* carriers = nullptr;  // null before they run, and once the runtime shuts down
    bool ending = false;
    bool ended = false;
    wait_queue changed;
};

void runtime::state::be_main_carrier(std::promise<void> started) noexcept {
#ifdef __linux__
    pthread_setname_np(pthread_self(), "coir-0");
#endif
    bool has_started = false;
    try {
        run(options, [&] {
            std::unique_lock guard(lock);
            carriers = &scheduler::current()->carriers();
            guard.unlock();
            has_started = true;
            started.set_value();
            guard.lock();
            while (!ending) {
                changed.park(guard, deadline::never(), {"the end of a runtime", -1, true});
            }
        });
    } catch (...) {
        if (has_started) {
            detail::log(detail::log_level::error,
                        "coir::runtime: " + detail::describe_exception(std::current_exception()));
        } else {
            started.set_exception(std::current_exception());
        }
    }
    const std::lock_guard guard(lock);
    ended = true;
    changed.unpark_all();
}

// On a fiber of another run this parks; the thread itself then has next to nothing left to do.
void runtime::state::await_end() {
    {
        std::unique_lock guard(lock);
        while (!ended) {
            changed.park(guard, deadline::never(), {"the end of a runtime", -1, true},
                         cancellable::no);
        }
    }
    main_carrier.join();
}

runtime::runtime(const run_options& options) : state_(std::make_unique<state>(options)) {
    std::promise<void> started;
    std::future<void> start = started.get_future();
    {
        const detail::signals_blocked for_the_new_thread;
        try {
            state_->main_carrier =
                std::thread([s = state_.get(), p = std::move(started)]() mutable {
                    s->be_main_carrier(std::move(p));
                });
        } catch (const std::system_error& error) {
            throw std::system_error(error.code(),
                                    "coir::runtime: its thread cannot be started (ulimit -u)");
        }
    }
    try {
        start.get();
    } catch (...) {
        state_->await_end();
        throw;
    }
}

runtime::~runtime() {
    {
        const std::lock_guard guard(state_->lock);
        if (scheduler* const here = scheduler::current();
            here != nullptr && &here->carriers() == state_->carriers) {
            COIR_PANIC("a coir::runtime is destroyed by one of its own fibers");
        }
        state_->carriers = nullptr;
        state_->ending = true;
        state_->changed.unpark_all();
    }
    state_->await_end();
}

std::size_t runtime::threads() const noexcept { return state_->options.threads; }

void runtime::post(std::unique_ptr<detail::submission> work, int carrier) {
    const std::size_t count = state_->options.threads;
    if (carrier >= 0 && static_cast<std::size_t>(carrier) >= count) {
        throw std::invalid_argument("coir::runtime::submit: there is no carrier " +
                                    std::to_string(carrier) + "; this runtime has " +
                                    std::to_string(count) + " (run_options::threads)");
    }
    const std::size_t to = carrier >= 0
                               ? static_cast<std::size_t>(carrier)
                               : state_->turn.fetch_add(1, std::memory_order_relaxed) % count;
    auto item = std::make_unique<posted_submission>(std::move(work));
    {
        const std::lock_guard guard(state_->lock);  // while it is held the runtime does not end
        if (state_->carriers == nullptr) {
            throw std::system_error(std::make_error_code(std::errc::operation_canceled),
                                    "coir::runtime::submit: the runtime is shutting down");
        }
        item->hold(*state_->carriers);
    }
    posted_submission::send(std::move(item), to);  // a system call, if that carrier sleeps
}

}  // namespace coir
