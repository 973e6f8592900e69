// SPDX-License-Identifier: BSL-1.0
#include "core/join_link.hpp"

#include "core/fiber_control.hpp"
#include "core/scheduler.hpp"

#include <coir/detail/single_threaded.hpp>
#include <coir/detail/spin_lock.hpp>

#include <string>
#include <system_error>

namespace coir::detail {

namespace {

constinit spin_lock links_lock;

// In a process of one thread there is nobody to lock out, and no fiber switches here.
class links_guard {
public:
    links_guard() noexcept : needed_(!single_threaded()) {
        if (needed_) {
            links_lock.lock();
        }
    }
    links_guard(const links_guard&) = delete;
    links_guard& operator=(const links_guard&) = delete;
    ~links_guard() {
        if (needed_) {
            links_lock.unlock();
        }
    }

private:
    const bool needed_;
};

fiber_control* running_fiber() noexcept {
    scheduler* const home = scheduler::current();
    return home != nullptr ? &home->running() : nullptr;
}

// With the lock held.
bool leads_to(const fiber_control* from, const fiber_control& to) noexcept {
    while (from != nullptr && from != &to) {
        from = from->joins;
    }
    return from == &to;
}

}  // namespace

join_link::join_link(fiber_control& joined, circle closed) : joiner_(running_fiber()) {
    if (joiner_ == nullptr) {
        return;
    }
    {
        const links_guard guard;
        if (!leads_to(&joined, *joiner_)) {
            joiner_->joins = &joined;
            return;
        }
    }
    if (closed == circle::is_let_be) {
        return;  // with no link: else who follows them would go round for ever
    }
    const std::string self = '\'' + joiner_->display_name() + '\'';
    throw std::system_error(
        std::make_error_code(std::errc::resource_deadlock_would_occur),
        &joined == joiner_ ? "coir::fiber::join: fiber " + self + " joins itself"
                           : "coir::fiber::join: fiber " + self + " joins '" +
                                 joined.display_name() + "', which waits for the end of " + self);
}

join_link::~join_link() {
    if (joiner_ != nullptr) {
        const links_guard guard;
        joiner_->joins = nullptr;
    }
}

}  // namespace coir::detail
