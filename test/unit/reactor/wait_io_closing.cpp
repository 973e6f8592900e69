// SPDX-License-Identifier: BSL-1.0
// What one thread closes while a carrier is about to wait for it. Goal: a wait for a file ends when
// that file is closed, however late it began, and no other wait does. Method: the hook at close(2)
// lets the carrier's fiber begin its wait before the call or after it, and goes on when the carrier
// sleeps in the kernel.
#include "base/system_calls.hpp"
#include "base/unique_fd.hpp"
#include "core/scheduler.hpp"
#include "reactor/poller.hpp"
#include "reactor/reactor.hpp"
#include "reactor/wait_io.hpp"
#include "support/descriptors.hpp"
#include "support/gate.hpp"
#include "support/system_calls.hpp"
#include "support/watched_thread.hpp"

#include <coir/fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <sched.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>

using coir::deadline;
using coir::fiber;
using coir::wait_status;
using coir::detail::descriptor_kind;
using coir::detail::direction;
using coir::detail::io_result;
using coir::detail::system_calls;
using coir::detail::wait_io;
using coir::test::close_unseen;
using coir::test::gate;
using coir::test::put_from_thread;
using coir::test::replace_system_call;
using coir::test::socket_pair;
using coir::test::watched_thread;
using namespace std::chrono_literals;

namespace {

using on_close = replace_system_call<&system_calls::close>;

constexpr descriptor_kind both_kinds[] = {descriptor_kind::owned, descriptor_kind::foreign};

// The main thread, as a carrier on the backend under test.
class carrier {
public:
    template <class F>
    void run(F body) {
        const coir::detail::reactor::on_this_thread current_reactor(events_);
        coir::detail::scheduler fibers({}, events_);
        fibers.run_main(body);
        BOOST_TEST(events_.waits() == 0U);
    }
    bool polls_numbers() const { return events_.backend_name() == std::string("poll"); }

    bool is_here() const { return std::this_thread::get_id() == id_; }

    // The fiber's side.
    io_result wait_when_told(int descriptor, descriptor_kind kind, std::size_t which = 0) {
        start_[which].pass();
        awaited_ = descriptor;
        if (polls_numbers()) {
            begins_ = true;
        }
        return wait_io({descriptor, direction::read, kind}, deadline::after(10s));
    }
    // The other thread's: returns when that wait has begun.
    void let_wait(std::size_t which = 0) {
        start_[which].open();
        while (!begins_.exchange(false)) {
            ::sched_yield();
        }
        thread_.await_asleep();
    }

private:
    coir::detail::reactor events_{coir::detail::make_poller(coir::reactor_kind::automatic)};
    const watched_thread thread_;
    const std::thread::id id_ = std::this_thread::get_id();
    std::array<gate, 2> start_;
    int awaited_ = -1;
    std::atomic<bool> begins_{false};
#ifdef __linux__
    // It begins when the kernel has been told.
    using on_control = replace_system_call<&system_calls::epoll_ctl>;
    const on_control hook_{[this](int epoll, int operation, int descriptor, epoll_event* event) {
        const int result = on_control::original(epoll, operation, descriptor, event);
        if (descriptor == awaited_) {
            begins_ = true;
        }
        return result;
    }};
    // On io_uring the kernel is told in the call that the carrier sleeps in.
    using on_enter = replace_system_call<&system_calls::io_uring_enter>;
    const on_enter hook_of_enter_{[this](auto ring, auto to_submit, auto least, auto... others) {
        if (awaited_ >= 0 && least > 0) {
            awaited_ = -1;
            begins_ = true;
        }
        return on_enter::original(ring, to_submit, least, others...);
    }};
#endif
};

}  // namespace

BOOST_AUTO_TEST_SUITE(wait_io_closing)

BOOST_AUTO_TEST_CASE(a_wait_that_begins_before_the_close_of_another_thread_is_through_ends) {
    for (const auto kind : both_kinds) {
        carrier here;
        here.run([&] {
            socket_pair pair;
            const int number = pair.near.release();
            const on_close hook([&](int descriptor) {
                if (!here.is_here()) {
                    here.let_wait();
                }
                return close_unseen(descriptor);
            });
            std::thread closer([&] { coir::detail::io_close(number); });
            BOOST_TEST(here.wait_when_told(number, kind).error == EBADF);
            closer.join();
        });
    }
}

// It has the number that is being closed, before whoever closes has come back from close(2).
BOOST_AUTO_TEST_CASE(a_wait_for_the_next_file_of_the_number_goes_on) {
    for (const auto kind : both_kinds) {
        carrier here;
        here.run([&] {
            socket_pair pair;
            std::optional<socket_pair> next;
            const int number = pair.near.release();
            const on_close hook([&](int descriptor) {
                const int result = close_unseen(descriptor);
                if (!here.is_here()) {
                    next.emplace();
                    here.let_wait();
                }
                return result;
            });
            std::thread closer([&] {
                coir::detail::io_close(number);
                put_from_thread(next->far);
            });
            BOOST_TEST(here.wait_when_told(number, kind).ready());
            closer.join();
            BOOST_TEST(next->near.get() == number);
            coir::detail::io_close(next->near.release());
        });
    }
}

// The one waits for the file that is closed, the other for the next one, and each is noted in the
// same life of the number.
BOOST_AUTO_TEST_CASE(of_two_waits_that_begin_before_and_after_a_close_the_first_ends) {
    carrier here;
    here.run([&] {
        socket_pair pair;
        std::optional<socket_pair> next;
        const int number = pair.near.release();
        const on_close hook([&](int descriptor) {
            if (here.is_here()) {
                return close_unseen(descriptor);
            }
            here.let_wait();
            const int result = close_unseen(descriptor);
            next.emplace();
            here.let_wait(1);
            return result;
        });
        std::thread closer([&] {
            coir::detail::io_close(number);
            put_from_thread(next->far);
        });
        io_result earlier{};
        fiber first([&] { earlier = here.wait_when_told(number, descriptor_kind::foreign); });
        fiber second(
            [&] { BOOST_TEST(here.wait_when_told(number, descriptor_kind::foreign, 1).ready()); });
        first.join();
        second.join();
        closer.join();
        BOOST_TEST(next->near.get() == number);
        BOOST_TEST(earlier.error == (here.polls_numbers() ? 0 : EBADF));
    });
}

BOOST_AUTO_TEST_SUITE_END()
