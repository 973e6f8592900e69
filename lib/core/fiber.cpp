// SPDX-License-Identifier: BSL-1.0
#include <coir/fiber.hpp>

#include "base/describe_exception.hpp"
#include "base/log.hpp"
#include "core/fiber_control.hpp"
#include "core/scheduler.hpp"

#include <coir/cancellation.hpp>

#include <ostream>
#include <system_error>

namespace coir {

namespace detail {

fiber_blueprint allocate_fiber(fiber_options&& options, handle_kind kind, group_state* group,
                               std::size_t callable_bytes) {
    scheduler* const home = scheduler::current();
    if (home == nullptr) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                                "coir: a fiber is spawned on a thread that runs none; call it "
                                "inside coir::run()");
    }
    return home->create(std::move(options), kind, group, callable_bytes);
}

void start_fiber(fiber_control& control, const callable_type& type) noexcept {
    scheduler::current()->start(control, type);
}

void abandon_fiber(fiber_control& control) noexcept { scheduler::current()->abandon(control); }

}  // namespace detail

namespace {

void require_joinable(const fiber& handle, const char* call) {
    if (!handle.joinable()) {
        throw std::system_error(
            std::make_error_code(std::errc::invalid_argument),
            std::string("coir::fiber::") + call + ": the handle stands for no fiber");
    }
}

}  // namespace

fiber& fiber::operator=(fiber&& other) noexcept {
    fiber(std::move(other)).swap(*this);
    return *this;
}

fiber::~fiber() {
    if (control_ == nullptr) {
        return;
    }
    control_->request_cancel();
    control_->join(cancellable::no);
    control_->detach();  // logs what escaped, since nobody will fetch it
}

void fiber::join() {
    require_joinable(*this, "join");
    detail::check_cancelled();
    control_->join(cancellable::yes);
    if (const std::exception_ptr failure = std::exchange(control_, nullptr)->detach_joined()) {
        std::rethrow_exception(failure);
    }
}

void fiber::detach() {
    require_joinable(*this, "detach");
    std::exchange(control_, nullptr)->detach();
}

void fiber::cancel() {
    require_joinable(*this, "cancel");
    control_->request_cancel();
}

fiber::id fiber::get_id() const noexcept { return control_ != nullptr ? id(control_->id) : id(); }

std::ostream& operator<<(std::ostream& out, fiber::id id) { return out << id.value(); }

}  // namespace coir
