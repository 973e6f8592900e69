// SPDX-License-Identifier: BSL-1.0
#include "sync/channel_state.hpp"

#include <mutex>
#include <utility>

namespace coir::detail {

namespace {

channel_operation& operation_of(const claimed_waiter& who) noexcept {
    return static_cast<channel_operation&>(*who.place());
}

std::string label(const char* what, const std::string& name) {
    return name.empty() ? what : what + (" '" + name + '\'');
}

}  // namespace

channel_state::channel_state(const element_type& type, std::size_t capacity, const char* name)
    : type_(type),
      name_(name != nullptr ? name : ""),
      send_label_(label("sending on a channel", name_)),
      receive_label_(label("receiving from a channel", name_)),
      buffer_(capacity, type.size) {}

channel_state::~channel_state() {
    while (buffer_.size() != 0) {
        type_.destroy(buffer_.front());
        channel_buffer::free_chunk(buffer_.pop());
    }
}

attempt channel_state::try_send(channel_operation& send) noexcept {
    if (closed_) {
        return attempt::done;  // which is not commit(): whoever asks learns that it failed
    }
    if (claimed_waiter receiver = receivers_.claim_one()) {
        send.commit_with(std::move(receiver));
        return attempt::done;
    }
    if (!buffer_.has_room()) {
        return attempt::not_now;
    }
    if (buffer_.needs_chunk()) {
        if (!send.has_chunk()) {
            return attempt::needs_memory;
        }
        buffer_.add_chunk(send.take_chunk());
    }
    type_.store(buffer_.push(), send.value());
    send.commit();
    return attempt::done;
}

attempt channel_state::try_receive(channel_operation& receive) noexcept {
    if (buffer_.size() != 0) {
        type_.fetch(receive.value(), buffer_.front());
        receive.retire(buffer_.pop());
        receive.commit();
        // The oldest of those who wait for room gets it; an unbounded channel has none.
        if (claimed_waiter sender = senders_.claim_one()) {
            type_.store(buffer_.push(), operation_of(sender).value());
            operation_of(sender).mark_done();
            receive.deliver_later(std::move(sender));
        }
        return attempt::done;
    }
    if (claimed_waiter sender = senders_.claim_one()) {
        receive.commit_with(std::move(sender));
        return attempt::done;
    }
    return closed_ ? attempt::done : attempt::not_now;
}

// Those who wait are claimed with the lock held and told without it. As soon as one of them is
// told, somebody may destroy the channel, which is therefore not touched again.
void channel_state::close() noexcept {
    claimed_waiter first;
    {
        const std::lock_guard guard(lock_);
        closed_ = true;
        claimed_waiter* end = &first;
        for (wait_queue* queue : {&receivers_, &senders_}) {
            while (claimed_waiter one = queue->claim_one()) {
                *end = std::move(one);
                end = &operation_of(*end).next_to_tell();
            }
        }
    }
    while (first) {
        claimed_waiter next = std::move(operation_of(first).next_to_tell());
        first = std::move(next);  // delivers to the one that was first
    }
}

bool channel_state::closed() noexcept {
    const std::lock_guard guard(lock_);
    return closed_;
}

bool channel_state::drained() noexcept {
    const std::lock_guard guard(lock_);
    return closed_ && buffer_.size() == 0;
}

std::size_t channel_state::size() noexcept {
    const std::lock_guard guard(lock_);
    return buffer_.size();
}

// Anybody may hold the channel, so no wait on it is ever known to be a deadlock.
wait_label channel_state::label_of(channel_operation::direction which) const noexcept {
    const bool sends = which == channel_operation::direction::send;
    return {(sends ? send_label_ : receive_label_).c_str(), -1, true};
}

std::string channel_state::display_name() const {
    return name_.empty() ? "a channel" : "channel '" + name_ + '\'';
}

}  // namespace coir::detail
