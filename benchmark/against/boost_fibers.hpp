// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "two_queues.hpp"
#include "two_threads.hpp"

#include <boost/fiber/all.hpp>
#include <cstddef>
#include <memory>

namespace against {

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

    using local_fiber = fiber;

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
    template <class T>
    using shared_future = boost::fibers::shared_future<T>;
    template <class Signature>
    using packaged_task = boost::fibers::packaged_task<Signature>;
    template <class T>
    using two_channels = two_queues<T, mutex, condition_variable>;

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

}  // namespace against
