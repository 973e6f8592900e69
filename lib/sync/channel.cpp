// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/channel.hpp>

#include "core/cancellation_point.hpp"
#include "sync/channel_state.hpp"

#include <coir/cancellation.hpp>

namespace coir {

channel_closed::~channel_closed() = default;

namespace detail {

using direction = channel_operation::direction;

namespace {

// Without the lock, so the channel is not touched: others use it, and whoever has got a value may
// destroy it. The partner stays where it is until the delivery, and is not touched after.
void complete_exchange(channel_exchange& exchange, const element_type& type, direction which,
                       void* value) noexcept {
    if (exchange.partner) {
        auto& partner = static_cast<channel_operation&>(*exchange.partner.place());
        if (which == direction::send) {
            type.hand_over(partner.value(), value);
        } else {
            type.hand_over(value, partner.value());
        }
        partner.mark_done();
        exchange.partner.deliver();
    }
    exchange.served.deliver();
}

// True: it is over, and the lock is free. False: it must wait, and the lock is held.
template <direction Which>
[[gnu::always_inline]] inline bool is_possible_now(channel_state& channel, void* value,
                                                   channel_exchange& exchange) {
    const element_type& type = channel.type();
    channel.lock().lock();
    for (;;) {
        switch (Which == direction::send ? channel.try_send(value, exchange)
                                         : channel.try_receive(value, exchange)) {
            case attempt::not_now: return false;
            case attempt::done:
                channel.lock().unlock();
                complete_exchange(exchange, type, Which, value);
                return true;
            case attempt::needs_memory:
                channel.lock().unlock();
                exchange.chunk = channel.make_chunk();
                channel.lock().lock();
        }
    }
}

[[noreturn]] void throw_closed(const channel_state& channel) {
    throw channel_closed("coir: a value was sent on " + channel.display_name() +
                         ", which is closed");
}

// With the lock held, which is given up.
bool wait(channel_state& channel, direction which, void* value, deadline until) {
    channel_operation operation(channel, which, value);
    switch (wait_queue::park_in(operation, until, channel.label_of(which))) {
        case wait_status::notified:
            if (which == direction::send) {
                operation.throw_unless_sent();
            }
            return true;
        case wait_status::timed_out: return false;
        case wait_status::cancelled: break;
    }
    throw operation_cancelled();
}

}  // namespace

// --- One operation, of a select or one that waits ----------------------------------------------

channel_operation::channel_operation(channel_state& channel, direction which, void* value) noexcept
    : select_case(which == direction::send ? channel.senders() : channel.receivers(),
                  channel.lock()),
      channel_(channel),
      type_(channel.type()),
      value_(value),
      direction_(which) {}

attempt channel_operation::try_now() noexcept {
    return direction_ == direction::send ? channel_.try_send(value_, exchange_)
                                         : channel_.try_receive(value_, exchange_);
}

void channel_operation::complete() noexcept {
    complete_exchange(exchange_, type_, direction_, value_);
}

void channel_operation::provide_memory() { exchange_.chunk = channel_.make_chunk(); }

void channel_operation::throw_unless_sent() const {
    if (!exchange_.done) {
        throw_closed(channel_);
    }
}

// --- The channel -------------------------------------------------------------------------------

channel_core::channel_core(const element_type& type, std::size_t capacity, const char* name)
    : state_(std::make_unique<channel_state>(type, capacity, name)),
      lane_(capacity != 0 ? state_.get() : nullptr) {}
channel_core::~channel_core() = default;

bool channel_core::send(void* value, deadline until) {
    const cancellation_point call;
    channel_exchange exchange;
    if (!is_possible_now<direction::send>(*state_, value, exchange)) {
        return wait(*state_, direction::send, value, until);
    }
    call.passed_at_once();
    if (!exchange.done) {
        throw_closed(*state_);
    }
    return true;
}

bool channel_core::receive(void* value, deadline until) {
    const cancellation_point call;
    channel_exchange exchange;
    if (!is_possible_now<direction::receive>(*state_, value, exchange)) {
        return wait(*state_, direction::receive, value, until);
    }
    call.passed_at_once();
    return true;
}

bool channel_core::try_send(void* value) {
    channel_exchange exchange;
    if (!is_possible_now<direction::send>(*state_, value, exchange)) {
        state_->lock().unlock();
        return false;
    }
    if (!exchange.done) {
        throw_closed(*state_);
    }
    return true;
}

void channel_core::try_receive(void* value) noexcept {
    channel_exchange exchange;
    if (!is_possible_now<direction::receive>(*state_, value, exchange)) {
        state_->lock().unlock();
    }
}

void channel_core::close() noexcept { state_->close(); }
bool channel_core::closed() const noexcept { return state_->closed(); }
bool channel_core::drained() const noexcept { return state_->drained(); }
std::size_t channel_core::size() const noexcept { return state_->size(); }

}  // namespace detail
}  // namespace coir
