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
    : channel_lane(capacity, type.size),
      type_(type),
      name_(name != nullptr ? name : ""),
      sending_(label("sending on a channel", name_)),
      receiving_(label("receiving from a channel", name_)) {}

channel_state::~channel_state() {
    buffer_.count();
    while (buffer_.size() != 0) {
        type_.destroy(buffer_.front());
        channel_buffer::free_chunk(buffer_.pop());
    }
}

// Those who wait are claimed with the lock held and told without it. As soon as one of them is
// told, somebody may destroy the channel, which is therefore not touched again.
void channel_state::close() noexcept {
    claimed_waiter first;
    {
        const std::lock_guard guard(lock_);
        closed_ = true;
        buffer_.close();
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
    buffer_.count();
    return closed_ && buffer_.size() == 0;
}

std::size_t channel_state::size() noexcept {
    const std::lock_guard guard(lock_);
    buffer_.count();
    return buffer_.size();
}

std::string channel_state::display_name() const {
    return name_.empty() ? "a channel" : "channel '" + name_ + '\'';
}

}  // namespace coir::detail
