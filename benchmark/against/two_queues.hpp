// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace against {

// What programs write where there is no select: two bounded queues, and a receiver that takes from
// whichever has something.
template <class T, class Mutex, class ConditionVariable>
class two_queues {
public:
    explicit two_queues(std::size_t capacity) : capacity_(capacity) {}

    void send(std::size_t to, T value) {
        std::unique_lock lock(mutex_);
        not_full_[to].wait(lock, [&] { return queues_[to].size() < capacity_; });
        queues_[to].push_back(value);
        not_empty_.notify_one();
    }

    // Takes one, and says from which; false if both are closed and drained.
    bool receive(std::size_t& from, T& value) {
        std::unique_lock lock(mutex_);
        not_empty_.wait(lock,
                        [&] { return !queues_[0].empty() || !queues_[1].empty() || closed_; });
        from = turn_;
        if (queues_[from].empty()) {
            from = 1 - from;
        }
        if (queues_[from].empty()) {
            return false;
        }
        turn_ = 1 - from;  // so that a full one does not keep the other waiting
        value = queues_[from].front();
        queues_[from].pop_front();
        not_full_[from].notify_one();
        return true;
    }

    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        not_empty_.notify_all();
    }

private:
    Mutex mutex_;
    std::array<ConditionVariable, 2> not_full_;
    ConditionVariable not_empty_;
    std::array<std::deque<T>, 2> queues_;
    std::size_t turn_ = 0;
    const std::size_t capacity_;
    bool closed_ = false;
};

}  // namespace against
