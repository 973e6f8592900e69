// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "stress/stress_test.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace coir::stress {

// What has gone through all the ledgers of a test: how many values, and their sum.
class turnover {
public:
    void add(std::uint64_t sent, std::uint64_t received, std::uint64_t dropped,
             std::uint64_t sum_sent, std::uint64_t sum_received) noexcept {
        sent_ += sent;
        received_ += received;
        dropped_ += dropped;
        sum_sent_ += sum_sent;
        sum_received_ += sum_received;
    }
    std::uint64_t received() const noexcept { return received_; }
    std::string text() const {
        return "sent " + std::to_string(sent_) + " (sum " + std::to_string(sum_sent_) +
               "), received " + std::to_string(received_) + " (sum " +
               std::to_string(sum_received_) + "), dropped " + std::to_string(dropped_);
    }

private:
    std::atomic<std::uint64_t> sent_{0};
    std::atomic<std::uint64_t> received_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<std::uint64_t> sum_sent_{0};
    std::atomic<std::uint64_t> sum_received_{0};
};

// Keeps account of values on their way: a sender enters each that it has sent, a receiver each that
// it has got; one that is destroyed on its way is dropped. At its end every value must have been
// sent and received or dropped, once each, or neither. Values have numbers, which rise in the order
// in which they are made.
class ledger {
public:
    static constexpr int most_values = 2000;

    // What travels. It moves, and tells the ledger if it is destroyed with its value.
    class parcel {
    public:
        parcel() noexcept = default;
        parcel(ledger& book, int value, std::size_t sender) noexcept
            : book_(&book), value_(value), sender_(sender) {}
        parcel(parcel&& other) noexcept
            : book_(std::exchange(other.book_, nullptr)),
              value_(other.value_),
              sender_(other.sender_) {}
        parcel& operator=(parcel&& other) noexcept {
            parcel taken(std::move(other));
            std::swap(book_, taken.book_);
            std::swap(value_, taken.value_);
            std::swap(sender_, taken.sender_);
            return *this;
        }
        ~parcel() {
            if (book_ != nullptr) {
                ++book_->accounts_[index()].dropped;
            }
        }

        bool full() const noexcept { return book_ != nullptr; }
        int value() const noexcept { return value_; }
        std::size_t sender() const noexcept { return sender_; }

        // By who has got it.
        void take() noexcept {
            if (full()) {
                ++book_->accounts_[index()].received;
                empty();
            }
        }
        // By who keeps it.
        void empty() noexcept { book_ = nullptr; }

        friend bool operator<(const parcel& a, const parcel& b) noexcept {
            return a.value_ < b.value_;
        }

    private:
        std::size_t index() const noexcept { return static_cast<std::size_t>(value_); }

        ledger* book_ = nullptr;
        int value_ = -1;
        std::size_t sender_ = 0;
    };

    // A parcel in the hands of its sender: to be sent as an rvalue, which leaves it full if that
    // fails.
    class outgoing {
    public:
        outgoing(ledger& book, int value, std::size_t sender) noexcept
            : parcel_(book, value, sender), book_(book), value_(value) {}
        outgoing(const outgoing&) = delete;
        outgoing& operator=(const outgoing&) = delete;
        ~outgoing() {
            if (!sent_) {
                book_.verdict_.require(parcel_.full() && parcel_.value() == value_,
                                       "a value that was not sent is gone");
                parcel_.empty();
            }
        }

        parcel&& to_send() noexcept { return std::move(parcel_); }
        bool sent() noexcept {
            sent_ = true;
            book_.verdict_.require(!parcel_.full(), "a value that was sent is still there");
            ++book_.accounts_[static_cast<std::size_t>(value_)].sent;
            return true;
        }

    private:
        parcel parcel_;
        ledger& book_;
        const int value_;
        bool sent_ = false;
    };

    ledger(verdict& told, turnover& all) noexcept : verdict_(told), turnover_(all) {}
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;
    ~ledger() { close_account(); }

    // The next value, or -1 when all have been given out.
    int next() noexcept {
        const int value = next_.fetch_add(1, std::memory_order_relaxed);
        return value < most_values ? value : -1;
    }
    // Values may be destroyed on their way from now on.
    void allow_drops() noexcept { may_drop_ = true; }

private:
    struct account {
        std::atomic<std::uint8_t> sent{0};
        std::atomic<std::uint8_t> received{0};
        std::atomic<std::uint8_t> dropped{0};
    };

    void close_account() noexcept {
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        std::uint64_t dropped = 0;
        std::uint64_t sum_sent = 0;
        std::uint64_t sum_received = 0;
        for (std::size_t i = 0; i < accounts_.size(); ++i) {
            const account& a = accounts_[i];
            verdict_.require(a.received <= 1, "a value was received twice");
            verdict_.require(a.received + a.dropped >= a.sent, "a value that was sent is lost");
            verdict_.require(a.received + a.dropped <= a.sent,
                             "a value came that nobody has sent, or twice");
            sent += a.sent;
            received += a.received;
            dropped += a.dropped;
            sum_sent += a.sent * i;
            sum_received += a.received * i;
        }
        verdict_.require(may_drop_ || dropped == 0, "a value was dropped on its way");
        turnover_.add(sent, received, dropped, sum_sent, sum_received);
    }

    verdict& verdict_;
    turnover& turnover_;
    std::array<account, most_values> accounts_{};
    std::atomic<int> next_{0};
    std::atomic<bool> may_drop_{false};
};

}  // namespace coir::stress
