// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/spin_lock.hpp>
#include <coir/sync/detail/channel_buffer.hpp>

#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace coir::detail {

// What of a channel is compiled into its callers: how a value passes that finds its slot, or is
// found in it, while nobody waits, no chunk begins or ends, and the lock is free. A stream of
// messages is nearly always that. All else is done by the library's channel_state, which is this
// and more. It opens the buffer for this way, and closes it before anybody begins to wait.
class channel_lane {
public:
    // False: the library is to be asked. Once the lock is free the channel is not touched, as
    // whoever has got the value may destroy it.
    template <class T>
    bool store(T& value) noexcept {
        if (!lock_.lock_at_once()) {
            return false;
        }
        const bool possible = buffer_.can_push_in_a_row();
        if (possible) {
            ::new (buffer_.push_in_a_row(sizeof(T))) T(std::move(value));
        }
        lock_.unlock();
        return possible;
    }

    template <class T>
    bool fetch(std::optional<T>& to) noexcept {
        if (!lock_.lock_at_once()) {
            return false;
        }
        const bool possible = buffer_.can_pop_in_a_row();
        if (possible) {
            T& value = *std::launder(static_cast<T*>(buffer_.pop_in_a_row(sizeof(T))));
            to.emplace(std::move(value));
            std::destroy_at(&value);
        }
        lock_.unlock();
        return possible;
    }

protected:
    channel_lane(std::size_t capacity, std::size_t value_bytes) : buffer_(capacity, value_bytes) {}
    channel_lane(const channel_lane&) = delete;
    channel_lane& operator=(const channel_lane&) = delete;
    ~channel_lane() = default;

    spin_lock lock_;  // guards the buffer, and what channel_state has
    channel_buffer buffer_;
};

}  // namespace coir::detail
