// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/coir.hpp>

#include <array>
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
    // One that stays on the carrier of who makes it.
    struct local_fiber : fiber {
        template <class Function>
        explicit local_fiber(Function function)
            : fiber(coir::spawn_on(coir::this_carrier::number(), function)) {}
    };

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
    template <class T>
    using shared_future = coir::shared_future<T>;
    template <class Signature>
    using packaged_task = coir::packaged_task<Signature>;

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

    template <class T>
    class two_channels {
    public:
        explicit two_channels(std::size_t capacity)
            : channels_{coir::channel<T>(capacity), coir::channel<T>(capacity)} {}
        void send(std::size_t to, T value) { channels_[to].send(value); }
        bool receive(std::size_t& from, T& value) {
            std::optional<T> received;
            const auto take_from = [&](std::size_t which) {
                return [&, which](std::optional<T> got) {
                    from = which;
                    received = got;
                };
            };
            coir::select(coir::on_receive(channels_[0], take_from(0)),
                         coir::on_receive(channels_[1], take_from(1)));
            if (!received) {  // that one has ended; the other may have some left
                from = 1 - from;
                received = channels_[from].receive();
            }
            value = received.value_or(value);
            return received.has_value();
        }
        void close() {
            channels_[0].close();
            channels_[1].close();
        }

    private:
        std::array<coir::channel<T>, 2> channels_;
    };
};

}  // namespace against
