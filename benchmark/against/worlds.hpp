// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/coir.hpp>
#include <coir/sync/channel.hpp>

#include <benchmark/benchmark.h>
#include <algorithm>
#include <atomic>
#include <barrier>
#include <boost/fiber/all.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// The same program in three worlds: fibers of coir, fibers of Boost.Fiber, and threads. A world
// names its types, so that a benchmark is a template over it and none is treated differently.
// What a world lacks it does not name.
namespace against {

// Where a world has no carriers of its own.
template <class Ask, class Answer>
void run_on_two_threads(Ask ask, Answer answer) {
    std::thread other(answer);
    ask();
    other.join();
}

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

struct boost_fibers {
    static constexpr const char* name = "boost_fiber";

    template <class Function>
    static void run(Function function) {
        function();  // a thread becomes a scheduler when it first needs one
    }
    template <class Ask, class Answer>
    static void run_on_two_carriers(Ask ask, Answer answer) {
        run_on_two_threads(ask, answer);
    }
    static void yield() { boost::this_fiber::yield(); }

    // With its pool of stacks, which makes a spawn a quarter cheaper than its default does.
    class fiber {
    public:
        template <class Function>
        explicit fiber(Function function)
            : fiber_(boost::fibers::launch::post, std::allocator_arg, stacks(), function) {}
        void join() { fiber_.join(); }

    private:
        boost::fibers::fiber fiber_;
    };

    using mutex = boost::fibers::mutex;
    using timed_mutex = boost::fibers::timed_mutex;
    using recursive_mutex = boost::fibers::recursive_mutex;
    using condition_variable = boost::fibers::condition_variable;
    class barrier {
    public:
        explicit barrier(std::size_t participants) : barrier_(participants) {}
        void arrive_and_wait() { barrier_.wait(); }

    private:
        boost::fibers::barrier barrier_;
    };
    template <class T>
    using promise = boost::fibers::promise<T>;

    template <class Function>
    static auto async(Function function) {
        return boost::fibers::async(boost::fibers::launch::post, std::allocator_arg, stacks(),
                                    function);
    }

    // One class for each kind of channel there; its capacity is a power of two, one more than
    // what it holds.
    template <class T>
    class channel {
    public:
        explicit channel(std::size_t capacity)
            : unbuffered_is_meant_(capacity == 0), buffered_(capacity < 2 ? 2 : capacity) {}
        void send(T value) {
            unbuffered_is_meant_ ? unbuffered_.push(value) : buffered_.push(value);
        }
        bool receive(T& value) {
            return (unbuffered_is_meant_ ? unbuffered_.pop(value) : buffered_.pop(value)) ==
                   boost::fibers::channel_op_status::success;
        }
        void close() {
            unbuffered_.close();
            buffered_.close();
        }

    private:
        bool unbuffered_is_meant_;
        boost::fibers::unbuffered_channel<T> unbuffered_;
        boost::fibers::buffered_channel<T> buffered_;
    };

private:
    static boost::fibers::pooled_fixedsize_stack& stacks() {
        static thread_local boost::fibers::pooled_fixedsize_stack pool;
        return pool;
    }
};

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

// Two parties: the one that is measured and the one that answers, which has started by then.
template <class World, class Ask, class Answer, class Run>
void run_pair(Ask ask, Answer answer, Run run) {
    std::atomic<bool> started{false};
    run(
        [&] {
            while (!started.load()) {
                World::yield();
            }
            ask();
        },
        [&] {
            started.store(true);
            answer();
        });
}

struct on_one_carrier {
    static constexpr const char* name = "/one_carrier";

    template <class World, class Ask, class Answer>
    static void run(Ask ask, Answer answer) {
        run_pair<World>(ask, answer, [](auto asks, auto answers) {
            World::run([&] {
                typename World::fiber other(answers);
                asks();
                other.join();
            });
        });
    }
};

struct on_two_carriers {
    static constexpr const char* name = "/two_carriers";

    template <class World, class Ask, class Answer>
    static void run(Ask ask, Answer answer) {
        run_pair<World>(ask, answer,
                        [](auto asks, auto answers) { World::run_on_two_carriers(asks, answers); });
    }
};

// A benchmark that lost something has measured nothing.
inline void require_equal(std::int64_t counted, std::int64_t expected) {
    if (counted != expected) {
        throw std::logic_error("something was lost, or came twice");
    }
}

// What was added, in order: a row each. The world is a column.
std::vector<std::string>& subjects();

// By the wall clock: what another thread does takes time, too.
inline void add(const std::string& subject, const char* world,
                void (*function)(benchmark::State&)) {
    std::vector<std::string>& all = subjects();
    if (std::find(all.begin(), all.end(), subject) == all.end()) {
        all.push_back(subject);
    }
    benchmark::RegisterBenchmark((subject + '/' + world).c_str(), function)->UseRealTime();
}

}  // namespace against
