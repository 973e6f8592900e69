// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/coir.hpp>

#include <cstddef>
#include <optional>

namespace against {

struct coir_fibers {
    static constexpr const char* name = "coir";

    template <class Function>
    static void run(Function function) {
        coir::run(function);
    }
    template <class Ask, class Answer>
    static void run_on_two_carriers(Ask ask, Answer answer) {
        coir::run_options two;
        two.threads = 2;
        coir::run(two, [&] {
            coir::fiber other(coir::fiber_options().on(1), answer);
            ask();
            other.join();
        });
    }
    static void yield() { coir::this_fiber::yield(); }

    using fiber = coir::fiber;
    using mutex = coir::mutex;
    using timed_mutex = coir::timed_mutex;
    using recursive_mutex = coir::recursive_mutex;
    using shared_mutex = coir::shared_mutex;
    using condition_variable = coir::condition_variable;
    using binary_semaphore = coir::binary_semaphore;
    using latch = coir::latch;
    using once_flag = coir::once_flag;
    using barrier = coir::barrier<>;
    template <class T>
    using promise = coir::promise<T>;

    template <class Function>
    static auto async(Function function) {
        return coir::async(function);
    }

    template <class T>
    class channel {
    public:
        explicit channel(std::size_t capacity) : values_(capacity) {}
        void send(T value) { values_.send(value); }
        bool receive(T& value) {
            const std::optional<T> received = values_.receive();
            value = received.value_or(value);
            return received.has_value();
        }
        void close() { values_.close(); }

    private:
        coir::channel<T> values_;
    };
};

}  // namespace against
