// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/spin_lock.hpp"
#include "sync/channel_buffer.hpp"

#include <coir/sync/detail/channel_operation.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>
#include <string>

namespace coir::detail {

// A channel. These hold whenever the lock is free, but for operations whose wait has ended already
// by a deadline or a cancellation, which take themselves out of the queues:
//
//   somebody waits in receivers  =>  the buffer is empty, nobody waits in senders, it is open
//   somebody waits in senders    =>  the buffer is full, nobody waits in receivers, it is open
//
// So nobody overtakes: whoever finds room or a value finds nobody waiting for it. All places in the
// queues are channel_operations. A notifier is a partner that completes the operation, or close().
class channel_state {
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
    attempt try_send(channel_operation& send) noexcept;
    attempt try_receive(channel_operation& receive) noexcept;

    void close() noexcept;
    bool closed() noexcept;
    bool drained() noexcept;
    std::size_t size() noexcept;

    wait_label label_of(channel_operation::direction which) const noexcept;
    std::string display_name() const;

private:
    const element_type& type_;
    const std::string name_;
    // With the name, if there is one. They outlive the queues, which show them if they are
    // destroyed under a wait.
    const std::string send_label_;
    const std::string receive_label_;
    spin_lock lock_;  // guards what follows
    bool closed_ = false;
    channel_buffer buffer_;
    wait_queue senders_;
    wait_queue receivers_;
};

}  // namespace coir::detail
