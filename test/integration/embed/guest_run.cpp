// SPDX-License-Identifier: BSL-1.0
// A run that a host's event loop drives; here the loop is poll(2) itself.
#include <coir/guest_run.hpp>

#include <coir/cancellation.hpp>
#include <coir/net/tcp.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <poll.h>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

using coir::guest_run;
using coir::run_options;
using coir::net::tcp_listener;
using coir::net::tcp_socket;
using namespace std::chrono_literals;

namespace {

bool has_descriptor() {
    const char* const reactor = std::getenv("COIR_REACTOR");
    return reactor == nullptr || std::string_view(reactor) != "poll";
}

bool readable(int descriptor, int timeout_ms = 0) {
    pollfd polled{descriptor, POLLIN, 0};
    return ::poll(&polled, 1, timeout_ms) == 1;
}

struct host_loop {
    // Turns until `done`.
    template <class Done>
    void run(guest_run& guest, Done done) {
        while (!done()) {
            const auto until = guest.next_deadline();
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until.remaining());
            readable(guest.descriptor(), until.is_never() ? -1 : static_cast<int>(left.count()));
            guest.run_ready();
            ++turns;
        }
    }
    int turns = 0;
};

coir::net::endpoint any_port() { return {coir::net::ip_address::loopback(), 0}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(guest_run_in_a_host_loop)

BOOST_AUTO_TEST_CASE(without_a_descriptor_to_watch_there_is_no_guest) {
    if (!has_descriptor()) {
        BOOST_CHECK_EXCEPTION(guest_run(), std::invalid_argument, [](const auto& e) {
            return std::string(e.what()).find("COIR_REACTOR") != std::string::npos;
        });
    } else {
        BOOST_CHECK_NO_THROW(guest_run());
    }
}

BOOST_AUTO_TEST_CASE(options_that_a_guest_cannot_have_are_refused) {
    run_options threads;
    threads.threads = 2;
    BOOST_CHECK_THROW(guest_run{threads}, std::invalid_argument);
    run_options clock;
    clock.clock = coir::clock_kind::virtual_time;
    BOOST_CHECK_THROW(guest_run{clock}, std::invalid_argument);
    coir::run([] { BOOST_CHECK_THROW(guest_run(), std::system_error); });
}

BOOST_AUTO_TEST_CASE(fibers_run_in_run_ready_alone) {
    if (!has_descriptor()) {
        return;
    }
    guest_run guest;
    bool ran = false;
    auto future = guest.spawn([&] { ran = true; });
    BOOST_TEST(!ran);
    BOOST_TEST(guest.live_fibers() == 1U);
    BOOST_TEST(readable(guest.descriptor()));
    guest.run_ready();
    BOOST_TEST(ran);
    BOOST_TEST(future.ready());
    BOOST_TEST(guest.live_fibers() == 0U);
    BOOST_TEST(!readable(guest.descriptor()));
    BOOST_TEST(guest.next_deadline().is_never());
}

BOOST_AUTO_TEST_CASE(sleeping_fibers_tell_their_deadline_and_wake_on_time) {
    if (!has_descriptor()) {
        return;
    }
    guest_run guest;
    const auto begin = std::chrono::steady_clock::now();
    auto first = guest.spawn([] { coir::this_fiber::sleep_for(5ms); });
    auto second = guest.spawn([] { coir::this_fiber::sleep_for(2ms); });
    guest.run_ready();
    BOOST_TEST((second.ready() || guest.next_deadline().remaining() <= 2ms));
    host_loop loop;
    loop.run(guest, [&] { return first.ready() && second.ready(); });
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= 5ms));
    BOOST_TEST(loop.turns < 20);
}

BOOST_AUTO_TEST_CASE(sockets_make_the_descriptor_readable) {
    if (!has_descriptor()) {
        return;
    }
    guest_run guest;
    std::string received;
    auto server = guest.spawn([&] {
        tcp_listener listener(any_port());
        auto client = coir::async([where = listener.local_endpoint()] {
            tcp_socket s = tcp_socket::connect(where);
            coir::this_fiber::sleep_for(1ms);
            s.write_all("hello", 5);
        });
        tcp_socket accepted = listener.accept();
        char buffer[16];
        while (const std::size_t n = accepted.read_some(buffer, sizeof(buffer))) {
            received.append(buffer, n);
        }
        client.get();
    });
    host_loop().run(guest, [&] { return server.ready(); });
    server.get();
    BOOST_TEST(received == "hello");
}

BOOST_AUTO_TEST_CASE(another_thread_wakes_the_host) {
    if (!has_descriptor()) {
        return;
    }
    guest_run guest;
    coir::promise<int> promise;
    auto waiting = guest.spawn([future = promise.get_future()]() mutable { return future.get(); });
    guest.run_ready();
    BOOST_TEST(!readable(guest.descriptor()));
    std::thread([&] { promise.set_value(7); }).join();
    BOOST_TEST(readable(guest.descriptor()));
    guest.run_ready();
    BOOST_TEST(waiting.get() == 7);
    BOOST_TEST(!readable(guest.descriptor()));
}

BOOST_AUTO_TEST_CASE(fibers_that_are_always_ready_leave_the_host_its_turn) {
    if (!has_descriptor()) {
        return;
    }
    guest_run guest;
    int turns = 0;
    bool stop = false;
    auto busy = guest.spawn([&] {
        while (!stop) {
            ++turns;
            coir::this_fiber::yield();
        }
    });
    guest.run_ready();
    BOOST_TEST(turns > 0);
    BOOST_TEST(readable(guest.descriptor()));
    stop = true;
    guest.run_ready();
    BOOST_TEST(busy.ready());
    BOOST_TEST(!readable(guest.descriptor()));
}

BOOST_AUTO_TEST_CASE(between_its_stays_the_thread_is_a_plain_one) {
    if (!has_descriptor()) {
        return;
    }
    guest_run guest;
    auto sleeper = guest.spawn([] { coir::this_fiber::sleep_for(1h); });
    guest.run_ready();
    BOOST_TEST(coir::this_fiber::name() == "thread");
    BOOST_TEST(coir::run([] { return coir::this_fiber::name(); }) == "main");
    sleeper.cancel();
    guest.run_ready();
    BOOST_CHECK_THROW(sleeper.get(), coir::task_cancelled);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_guest_cancels_and_awaits_its_fibers) {
    if (!has_descriptor()) {
        return;
    }
    bool cleaned_up = false;
    {
        guest_run guest;
        guest.spawn([&] {
            struct cleanup {
                ~cleanup() {
                    coir::shield([] { coir::this_fiber::sleep_for(2ms); });
                    done = true;
                }
                bool& done;
            } const at_end{cleaned_up};
            coir::this_fiber::sleep_for(1h);
        });
        guest.run_ready();
    }
    BOOST_TEST(cleaned_up);
}

BOOST_AUTO_TEST_SUITE_END()
