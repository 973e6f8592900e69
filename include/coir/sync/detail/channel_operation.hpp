// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/detail/quick_call.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/channel_lane.hpp>
#include <coir/sync/detail/select_case.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace coir::detail {

// What a channel must know of its values. A sender's value is a T; a receiver's an empty
// std::optional<T>; a slot is bytes. Nothing may throw, or a value could be half-way lost.
struct element_type {
    template <class T>
    static const element_type& of() noexcept {
        static constexpr element_type type{
            sizeof(T),
            [](void* receiver, void* sender) noexcept {
                static_cast<std::optional<T>*>(receiver)->emplace(
                    std::move(*static_cast<T*>(sender)));
            },
            [](void* slot, void* sender) noexcept {
                ::new (slot) T(std::move(*static_cast<T*>(sender)));
            },
            [](void* receiver, void* slot) noexcept {
                T& value = *std::launder(static_cast<T*>(slot));
                static_cast<std::optional<T>*>(receiver)->emplace(std::move(value));
                std::destroy_at(&value);
            },
            [](void* slot) noexcept {
                std::destroy_at(std::launder(static_cast<T*>(slot)));
            }};
        return type;
    }

    std::size_t size;
    void (*hand_over)(void* receiver, void* sender) noexcept;
    void (*store)(void* slot, void* sender) noexcept;
    void (*fetch)(void* receiver, void* slot) noexcept;
    void (*destroy)(void* slot) noexcept;
};

class channel_state;

// What came of an attempt to send or to receive, but for what is done without the channel's lock:
// see complete().
struct channel_exchange {
    channel_exchange() = default;
    channel_exchange(const channel_exchange&) = delete;
    channel_exchange& operator=(const channel_exchange&) = delete;
    ~channel_exchange() {
        if (chunk != nullptr) {
            ::operator delete(chunk);
        }
    }

    bool done = false;       // else, once over, the channel is closed; what a partner may write
    claimed_waiter partner;  // the value is still to pass between the two
    claimed_waiter served;   // its value has been taken
    channel_chunk* chunk = nullptr;  // memory on its way into or out of the channel
};

// One send or one receive of a select, or one that waits, until it is over. It lives on the stack
// of whoever makes it.
class COIR_API channel_operation final : public select_case {
public:
    enum class direction : std::uint8_t { send, receive };

    // `value` is the sender's T or the receiver's std::optional<T>, of which only a committed
    // operation takes or makes the value.
    channel_operation(channel_state& channel, direction which, void* value) noexcept;
    channel_operation(const channel_operation&) = delete;
    channel_operation& operator=(const channel_operation&) = delete;
    ~channel_operation() = default;

    attempt try_now() noexcept override;
    void complete() noexcept override;
    void provide_memory() override;

    // Once it is over: for a send, throws channel_closed unless the value was sent.
    void throw_unless_sent() const;

    // Of the sender or receiver that waits, for its partner.
    void* value() const noexcept { return value_; }
    void mark_done() noexcept { exchange_.done = true; }

    // Links those that a close() has claimed into a list.
    claimed_waiter& next_to_tell() noexcept { return exchange_.served; }

private:
    channel_state& channel_;
    const element_type& type_;
    void* const value_;
    const direction direction_;
    channel_exchange exchange_;
};

// The part of a channel that does not depend on the type of its values.
class COIR_API channel_core {
public:
    static constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

    channel_core(const element_type& type, std::size_t capacity, const char* name);
    channel_core(const channel_core&) = delete;
    channel_core& operator=(const channel_core&) = delete;
    ~channel_core();

    // `value` as channel_operation has it. False: `until` has passed, or it could not be sent now.
    // They throw operation_cancelled, but for the last two, and channel_closed for a send.
    bool send(void* value, deadline until);
    bool receive(void* value, deadline until);
    bool try_send(void* value);
    void try_receive(void* value) noexcept;

    // The same where it can be done without the library; false: it is to be asked.
    template <class T>
    bool send_at_once(T& value) noexcept {
        const quick_call call;
        if (lane_ == nullptr || !call.is_possible() || !lane_->store(value)) {
            return false;
        }
        call.passed_at_once();
        return true;
    }
    template <class T>
    bool receive_at_once(std::optional<T>& to) noexcept {
        const quick_call call;
        if (lane_ == nullptr || !call.is_possible() || !lane_->fetch(to)) {
            return false;
        }
        call.passed_at_once();
        return true;
    }
    template <class T>
    bool try_send_at_once(T& value) noexcept {
        return lane_ != nullptr && lane_->store(value);
    }
    template <class T>
    bool try_receive_at_once(std::optional<T>& to) noexcept {
        return lane_ != nullptr && lane_->fetch(to);
    }

    void close() noexcept;
    bool closed() const noexcept;
    bool drained() const noexcept;
    std::size_t size() const noexcept;

    channel_state& state() const noexcept { return *state_; }

private:
    std::unique_ptr<channel_state> state_;
    channel_lane* const lane_;  // a part of it; null: there is no buffer
};

}  // namespace coir::detail
