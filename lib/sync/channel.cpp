// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/channel.hpp>

#include "core/waiter.hpp"
#include "sync/channel_state.hpp"

#include <coir/cancellation.hpp>

namespace coir {

channel_closed::~channel_closed() = default;

namespace detail {

// --- One operation -----------------------------------------------------------------------------

channel_operation::channel_operation(channel_state& channel, direction which, void* value) noexcept
    : select_case(which == direction::send ? channel.senders() : channel.receivers(),
                  channel.lock()),
      channel_(channel),
      type_(channel.type()),
      value_(value),
      direction_(which) {}

channel_operation::~channel_operation() { channel_buffer::free_chunk(chunk_); }

attempt channel_operation::try_now() noexcept {
    return direction_ == direction::send ? channel_.try_send(*this) : channel_.try_receive(*this);
}

// Without the lock, so the channel is not touched: others use it, and whoever has got a value may
// destroy it. The partner stays where it is until the delivery, and is not touched after.
void channel_operation::complete() noexcept {
    if (partner_) {
        auto& partner = static_cast<channel_operation&>(*partner_.place());
        if (direction_ == direction::send) {
            type_.hand_over(partner.value_, value_);
        } else {
            type_.hand_over(value_, partner.value_);
        }
        partner.mark_done();
        partner_.deliver();
    }
    served_.deliver();
}

void channel_operation::provide_memory() { chunk_ = channel_.make_chunk(); }

// Gives the lock up if it is true.
bool channel_operation::locked_attempt_succeeds() {
    for (;;) {
        switch (try_now()) {
            case attempt::not_now: return false;
            case attempt::done:
                unlock();
                complete();
                return true;
            case attempt::needs_memory:
                unlock();
                provide_memory();
                lock();
        }
    }
}

bool channel_operation::perform(deadline until) {
    check_cancelled();
    lock();
    if (locked_attempt_succeeds()) {
        spend_budget();
        return true;
    }
    switch (wait_queue::park_in(*this, until, channel_.label_of(direction_))) {
        case wait_status::notified: return true;
        case wait_status::timed_out: return false;
        case wait_status::cancelled: break;
    }
    throw operation_cancelled();
}

bool channel_operation::perform_now() {
    lock();
    if (locked_attempt_succeeds()) {
        return true;
    }
    unlock();
    return false;
}

void channel_operation::throw_unless_sent() const {
    if (!done_) {
        throw channel_closed("coir: a value was sent on " + channel_.display_name() +
                             ", which is closed");
    }
}

// --- The channel -------------------------------------------------------------------------------

channel_core::channel_core(const element_type& type, std::size_t capacity, const char* name)
    : state_(std::make_unique<channel_state>(type, capacity, name)) {}
channel_core::~channel_core() = default;
void channel_core::close() noexcept { state_->close(); }
bool channel_core::closed() const noexcept { return state_->closed(); }
bool channel_core::drained() const noexcept { return state_->drained(); }
std::size_t channel_core::size() const noexcept { return state_->size(); }

}  // namespace detail
}  // namespace coir
