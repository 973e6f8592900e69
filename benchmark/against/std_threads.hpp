// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "two_queues.hpp"
#include "two_threads.hpp"

#include <barrier>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>

namespace against {

struct std_threads {
    static constexpr const char* name = "std_thread";

    template <class Function>
    static void run(Function function) {
        function();
    }
    template <class Ask, class Answer>
    static void run_on_two_carriers(Ask ask, Answer answer) {
        run_on_two_threads(ask, answer);
    }
    static void yield() { std::this_thread::yield(); }

    using fiber = std::thread;
    using local_fiber = std::thread;
    using mutex = std::mutex;
    using timed_mutex = std::timed_mutex;
    using recursive_mutex = std::recursive_mutex;
    using shared_mutex = std::shared_mutex;
    using condition_variable = std::condition_variable;
    using binary_semaphore = std::binary_semaphore;
    using latch = std::latch;
    using once_flag = std::once_flag;
    using barrier = std::barrier<>;
    template <class T>
    using promise = std::promise<T>;
    template <class T>
    using shared_future = std::shared_future<T>;
    template <class Signature>
    using packaged_task = std::packaged_task<Signature>;
    template <class T>
    using two_channels = two_queues<T, mutex, condition_variable>;

    template <class Function>
    static auto async(Function function) {
        return std::async(std::launch::async, function);
    }

    // What programs write, as std has none. A capacity of 0 is one of 1: the sender does not wait
    // for the receiver.
    template <class T>
    class channel {
    public:
        explicit channel(std::size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) {}
        void send(T value) {
            std::unique_lock lock(mutex_);
            not_full_.wait(lock, [&] { return values_.size() < capacity_; });
            values_.push_back(value);
            not_empty_.notify_one();
        }
        bool receive(T& value) {
            std::unique_lock lock(mutex_);
            not_empty_.wait(lock, [&] { return !values_.empty() || closed_; });
            if (values_.empty()) {
                return false;
            }
            value = values_.front();
            values_.pop_front();
            not_full_.notify_one();
            return true;
        }
        void close() {
            const std::lock_guard lock(mutex_);
            closed_ = true;
            not_empty_.notify_all();
        }

    private:
        std::mutex mutex_;
        std::condition_variable not_full_;
        std::condition_variable not_empty_;
        std::deque<T> values_;
        const std::size_t capacity_;
        bool closed_ = false;
    };
};

}  // namespace against
