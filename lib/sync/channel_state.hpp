// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/spin_lock.hpp>
#include <coir/sync/detail/channel_lane.hpp>
#include <coir/sync/detail/channel_operation.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace coir::detail {

// A channel. These hold whenever the lock is free, but for operations whose wait has ended already
// by a deadline or a cancellation, which take themselves out of the queues:
//
//   somebody waits in receivers  =>  the buffer is empty, nobody waits in senders, it is open
//   somebody waits in senders    =>  the buffer is full, nobody waits in receivers, it is open
//
// So nobody overtakes: whoever finds room or a value finds nobody waiting for it. All places in the
// queues are channel_operations. A notifier is a partner that completes the operation, or close().
class channel_state : public channel_lane {
public:
    channel_state(const element_type& type, std::size_t capacity, const char* name);
    channel_state(const channel_state&) = delete;
    channel_state& operator=(const channel_state&) = delete;
    ~channel_state();

    const element_type& type() const noexcept { return type_; }
    spin_lock& lock() noexcept { return lock_; }
    wait_queue& senders() noexcept { return senders_; }
    wait_queue& receivers() noexcept { return receivers_; }
    channel_chunk* make_chunk() const { return buffer_.make_chunk(); }

    // With the lock held.
    attempt try_send(void* value, channel_exchange& exchange) noexcept;
    attempt try_receive(void* value, channel_exchange& exchange) noexcept;

    void close() noexcept;
    bool closed() noexcept;
    bool drained() noexcept;
    std::size_t size() noexcept;

    const wait_label& label_of(channel_operation::direction which) const noexcept {
        return which == channel_operation::direction::send ? send_label_ : receive_label_;
    }
    std::string display_name() const;

private:
    // As nobody waits for what would pass by.
    void open_buffer() noexcept { buffer_.open(!closed_ && receivers_.empty(), senders_.empty()); }

    const element_type& type_;
    const std::string name_;
    // With the name, if there is one. They outlive the queues, which show them if they are
    // destroyed under a wait.
    const std::string sending_;
    const std::string receiving_;
    // Anybody may hold the channel, so no wait on it is ever known to be a deadlock.
    const wait_label send_label_{sending_.c_str(), -1, true};
    const wait_label receive_label_{receiving_.c_str(), -1, true};
    // These are guarded by the lock, too.
    bool closed_ = false;
    wait_queue senders_;
    wait_queue receivers_;
};

inline attempt channel_state::try_send(void* value, channel_exchange& exchange) noexcept {
    if (closed_) {
        return attempt::done;  // which sets no exchange.done: whoever asks learns that it failed
    }
    if (!receivers_.empty()) {
        exchange.partner = receivers_.claim_one();
        if (exchange.partner) {
            exchange.done = true;
            return attempt::done;
        }
    }
    buffer_.count();
    if (!buffer_.has_room()) {
        buffer_.close();
        return attempt::not_now;
    }
    if (buffer_.needs_chunk()) {
        if (exchange.chunk == nullptr) {
            return attempt::needs_memory;
        }
        buffer_.add_chunk(std::exchange(exchange.chunk, nullptr));
    }
    type_.store(buffer_.push(), value);
    exchange.done = true;
    open_buffer();
    return attempt::done;
}

inline attempt channel_state::try_receive(void* value, channel_exchange& exchange) noexcept {
    buffer_.count();
    if (buffer_.size() != 0) {
        type_.fetch(value, buffer_.front());
        exchange.chunk = buffer_.pop();
        exchange.done = true;
        // The oldest of those who wait for room gets it; an unbounded channel has none.
        if (!senders_.empty()) {
            if (claimed_waiter sender = senders_.claim_one()) {
                auto& sending = static_cast<channel_operation&>(*sender.place());
                type_.store(buffer_.push(), sending.value());
                sending.mark_done();
                exchange.served = std::move(sender);
            }
        }
        open_buffer();
        return attempt::done;
    }
    if (!senders_.empty()) {
        exchange.partner = senders_.claim_one();
        if (exchange.partner) {
            exchange.done = true;
            return attempt::done;
        }
    }
    buffer_.close();
    return closed_ ? attempt::done : attempt::not_now;
}

}  // namespace coir::detail
