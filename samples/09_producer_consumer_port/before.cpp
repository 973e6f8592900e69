// SPDX-License-Identifier: BSL-1.0
// The classic: threads that produce, threads that consume, and between them a buffer of limited
// size with a mutex and two condition variables. after.cpp is its port to fibers; compare the two
// with diff.
#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

constexpr std::size_t capacity = 4;
constexpr int producer_count = 3;
constexpr int consumer_count = 2;
constexpr int items_of_each = 100;

class bounded_buffer {
public:
    void put(int item) {
        std::unique_lock lock(mutex_);
        not_full_.wait(lock, [this] { return items_.size() < capacity; });
        items_.push_back(item);
        fullest_ = std::max(fullest_, items_.size());
        not_empty_.notify_one();
    }

    // Empty once the buffer is closed and nothing is left.
    std::optional<int> take() {
        std::unique_lock lock(mutex_);
        not_empty_.wait(lock, [this] { return !items_.empty() || closed_; });
        if (items_.empty())
            return std::nullopt;
        const int item = items_.front();
        items_.pop_front();
        not_full_.notify_one();
        return item;
    }

    void close() {
        const std::scoped_lock lock(mutex_);
        closed_ = true;
        not_empty_.notify_all();
    }

    std::size_t fullest() const { return fullest_; }

private:
    std::mutex mutex_;
    std::condition_variable not_full_;
    std::condition_variable not_empty_;
    std::deque<int> items_;
    std::size_t fullest_ = 0;  // the most items that there were at once
    bool closed_ = false;
};

struct totals {
    std::mutex mutex;
    int count = 0;
    int sum = 0;
};

void produce(bounded_buffer& buffer, int number) {
    for (int i = 0; i < items_of_each; ++i)
        buffer.put(number * items_of_each + i);
}

void consume(bounded_buffer& buffer, totals& all) {
    while (const std::optional<int> item = buffer.take()) {
        const std::scoped_lock lock(all.mutex);
        ++all.count;
        all.sum += *item;
    }
}

int produce_and_consume() {
    bounded_buffer buffer;
    totals all;
    std::vector<std::thread> producers;
    std::vector<std::thread> consumers;
    for (int i = 0; i < producer_count; ++i)
        producers.emplace_back(produce, std::ref(buffer), i);
    for (int i = 0; i < consumer_count; ++i)
        consumers.emplace_back(consume, std::ref(buffer), std::ref(all));
    for (std::thread& producer : producers)
        producer.join();
    buffer.close();
    for (std::thread& consumer : consumers)
        consumer.join();

    std::cout << all.count << " items, their sum is " << all.sum << '\n'
              << (buffer.fullest() <= capacity ? "never" : "once") << " too many at once\n";
    return 0;
}

int main() { return produce_and_consume(); }
