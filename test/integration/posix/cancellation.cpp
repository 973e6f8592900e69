// SPDX-License-Identifier: BSL-1.0
// Cancelled scopes and scopes' deadlines, as the C code in between sees them.
#include "integration/posix/law.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <netdb.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace coir::test;
namespace posix = coir::posix;
namespace data = boost::unit_test::data;
using namespace std::chrono_literals;

namespace {

// What the calls are made on; nothing of it is ever ready but for writing.
struct quiet_descriptors {
    quiet_descriptors() : sockets(connected_sockets(socket_kind::tcp)), pipe(pipe_ends()) {
        listener = listening_socket(address, 0);
        for (int i = 0; i < 4; ++i) {  // fills the backlog: a further connect hangs
            filler.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            connect_with(filler.back().get());
        }
        idle_listener = listening_socket(idle_address);
    }
    int connect_with(int fd) {
        return posix::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    descriptor_pair sockets;
    descriptor_pair pipe;
    sockaddr_in address{};
    sockaddr_in idle_address{};
    unique_fd listener;
    unique_fd idle_listener;
    std::vector<unique_fd> filler;
};

struct waiting_call {
    const char* name;
    int (*make)(quiet_descriptors&);  // -1 and errno
};

int error_result(int error) {
    errno = error;
    return error == 0 ? 0 : -1;
}

fd_set set_of(int fd) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return set;
}

const waiting_call waiting_calls[] = {
    {"read",
     [](quiet_descriptors& d) {
         char b;
         return static_cast<int>(posix::read(d.pipe.a.get(), &b, 1));
     }},
    {"readv",
     [](quiet_descriptors& d) {
         char b;
         const iovec part{&b, 1};
         return static_cast<int>(posix::readv(d.sockets.a.get(), &part, 1));
     }},
    {"recv",
     [](quiet_descriptors& d) {
         char b;
         return static_cast<int>(posix::recv(d.sockets.a.get(), &b, 1, 0));
     }},
    {"recvfrom",
     [](quiet_descriptors& d) {
         char b;
         return static_cast<int>(posix::recvfrom(d.sockets.a.get(), &b, 1, 0, nullptr, nullptr));
     }},
    {"recvmsg",
     [](quiet_descriptors& d) {
         char b;
         iovec part{&b, 1};
         msghdr message{};
         message.msg_iov = &part;
         message.msg_iovlen = 1;
         return static_cast<int>(posix::recvmsg(d.sockets.a.get(), &message, 0));
     }},
    {"recvmmsg",
     [](quiet_descriptors& d) {
         char b;
         iovec part{&b, 1};
         mmsghdr message{};
         message.msg_hdr.msg_iov = &part;
         message.msg_hdr.msg_iovlen = 1;
         return posix::recvmmsg(d.sockets.a.get(), &message, 1, 0, nullptr);
     }},
    {"accept",
     [](quiet_descriptors& d) {
         return posix::accept(d.idle_listener.get(), nullptr, nullptr);
     }},
    {"connect",
     [](quiet_descriptors& d) {
         const unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
         return d.connect_with(fd.get());
     }},
    {"poll",
     [](quiet_descriptors& d) {
         pollfd one{d.sockets.a.get(), POLLIN, 0};
         return posix::poll(&one, 1, -1);
     }},
    {"ppoll",
     [](quiet_descriptors& d) {
         pollfd one{d.sockets.a.get(), POLLIN, 0};
         sigset_t mask;
         ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
         return posix::ppoll(&one, 1, nullptr, &mask);
     }},
    {"select",
     [](quiet_descriptors& d) {
         fd_set set = set_of(d.sockets.a.get());
         return posix::select(d.sockets.a.get() + 1, &set, nullptr, nullptr, nullptr);
     }},
    {"pselect",
     [](quiet_descriptors& d) {
         fd_set set = set_of(d.sockets.a.get());
         return posix::pselect(d.sockets.a.get() + 1, &set, nullptr, nullptr, nullptr, nullptr);
     }},
    {"sleep",
     [](quiet_descriptors&) {
         return posix::sleep(60) > 0 ? -1 : 0;
     }},
    {"usleep",
     [](quiet_descriptors&) {
         return posix::usleep(60'000'000);
     }},
    {"nanosleep",
     [](quiet_descriptors&) {
         const timespec time{60, 0};
         timespec left{};
         const int result = posix::nanosleep(&time, &left);
         return left.tv_sec >= 50 && left.tv_sec < 60 ? result : 0;
     }},
    {"clock_nanosleep",
     [](quiet_descriptors&) {
         const timespec time{60, 0};
         return error_result(posix::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr));
     }},
    {"clock_nanosleep until",
     [](quiet_descriptors&) {
         timespec at{};
         ::clock_gettime(CLOCK_REALTIME, &at);
         at.tv_sec += 60;
         return error_result(posix::clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, nullptr));
     }},
};
std::ostream& operator<<(std::ostream& out, const waiting_call& call) { return out << call.name; }

// These would succeed at once.
const waiting_call ready_calls[] = {
    {"write",
     [](quiet_descriptors& d) {
         return static_cast<int>(posix::write(d.sockets.a.get(), "x", 1));
     }},
    {"writev",
     [](quiet_descriptors& d) {
         char b = 'x';
         const iovec part{&b, 1};
         return static_cast<int>(posix::writev(d.pipe.b.get(), &part, 1));
     }},
    {"send",
     [](quiet_descriptors& d) {
         return static_cast<int>(posix::send(d.sockets.a.get(), "x", 1, 0));
     }},
    {"sendto",
     [](quiet_descriptors& d) {
         return static_cast<int>(posix::sendto(d.sockets.a.get(), "x", 1, 0, nullptr, 0));
     }},
    {"sendmsg",
     [](quiet_descriptors& d) {
         const msghdr message{};
         return static_cast<int>(posix::sendmsg(d.sockets.a.get(), &message, 0));
     }},
    {"poll that only looks",
     [](quiet_descriptors& d) {
         pollfd one{d.sockets.a.get(), POLLOUT, 0};
         return posix::poll(&one, 1, 0);
     }},
    {"no sleep",
     [](quiet_descriptors&) {
         return posix::usleep(0);
     }},
    {"getaddrinfo",
     [](quiet_descriptors&) {
         addrinfo* list = nullptr;
         const int code = posix::getaddrinfo("127.0.0.1", nullptr, nullptr, &list);
         if (code == 0) {
             posix::freeaddrinfo(list);
         }
         return code == EAI_SYSTEM ? -1 : 0;
     }},
    {"gethostbyname",
     [](quiet_descriptors&) {
         return posix::gethostbyname("127.0.0.1") == nullptr && h_errno == NETDB_INTERNAL ? -1 : 0;
     }},
};

void check_fails(const waiting_call& call, quiet_descriptors& d, int error) {
    errno = 0;
    BOOST_TEST(call.make(d) == -1);
    BOOST_TEST(errno == error);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_cancellation)

BOOST_DATA_TEST_CASE(a_cancelled_wait_fails_with_ecanceled, data::make(waiting_calls), call) {
    quiet_descriptors d;
    coir::run([&] {
        bool returned = false;
        coir::fiber waiter([&] {
            check_fails(call, d, ECANCELED);
            check_fails(call, d, ECANCELED);  // and again: cancellation is level-triggered
            returned = true;
        });
        coir::this_fiber::yield();
        waiter.cancel();
        waiter.join();
        BOOST_TEST(returned);
    });
}

BOOST_DATA_TEST_CASE(a_scopes_deadline_fails_it_with_etimedout, data::make(waiting_calls), call) {
    quiet_descriptors d;
    coir::run([&] {
        bool returned = false;
        // The C frames return normally, and the time-out is thrown behind them.
        BOOST_CHECK_THROW(coir::with_timeout(10ms,
                                             [&] {
                                                 check_fails(call, d, ETIMEDOUT);
                                                 check_fails(call, d, ETIMEDOUT);
                                                 returned = true;
                                             }),
                          coir::timed_out);
        BOOST_TEST(returned);
    });
}

BOOST_DATA_TEST_CASE(a_deadline_counts_on_a_plain_thread_too, data::make(waiting_calls), call) {
    quiet_descriptors d;
    std::thread([&] {
        BOOST_CHECK_THROW(coir::with_timeout(10ms, [&] { check_fails(call, d, ETIMEDOUT); }),
                          coir::timed_out);
    }).join();
}

BOOST_DATA_TEST_CASE(calls_that_need_not_wait_are_cancelled_too, data::make(ready_calls), call) {
    quiet_descriptors d;
    coir::run([&] {
        BOOST_TEST(call.make(d) != -1);
        coir::cancel_scope scope;
        scope.run([&] {
            scope.cancel();
            check_fails(call, d, ECANCELED);
            coir::shield([&] { BOOST_TEST(call.make(d) != -1); });
        });
        BOOST_TEST(call.make(d) != -1);
    });
}

BOOST_AUTO_TEST_CASE(what_was_moved_before_a_cancellation_is_told) {
    coir::run([] {
        const auto pair = connected_sockets(socket_kind::tcp);
        const auto pipe = pipe_ends();
        const std::string text = pattern(16'000'000);
        coir::fiber receiver([&] {
            char buffer[100];
            BOOST_TEST(posix::recv(pair.b.get(), buffer, 100, MSG_WAITALL) == 5);
            BOOST_TEST(posix::recv(pair.b.get(), buffer, 100, MSG_WAITALL) == -1);
            BOOST_TEST(errno == ECANCELED);
        });
        coir::fiber sender([&] {
            const ssize_t sent = posix::send(pair.b.get(), text.data(), text.size(), 0);
            BOOST_TEST(sent > 0);
            BOOST_TEST(sent < static_cast<ssize_t>(text.size()));
            BOOST_TEST(posix::send(pair.b.get(), "x", 1, 0) == -1);
            BOOST_TEST(errno == ECANCELED);
        });
        coir::fiber writer([&] {
            BOOST_TEST(posix::write(pipe.b.get(), text.data(), text.size()) == 65'536);
            BOOST_TEST(posix::write(pipe.b.get(), "x", 1) == -1);
            BOOST_TEST(errno == ECANCELED);
        });
        BOOST_TEST(posix::send(pair.a.get(), "hello", 5, 0) == 5);
        posix::usleep(20'000);
        for (coir::fiber* one : {&receiver, &sender, &writer}) {
            one->cancel();
            one->join();
        }
    });
}

// A part that came in time is a success, and so is a body whose every call succeeded.
BOOST_AUTO_TEST_CASE(a_part_in_time_is_no_failure) {
    coir::run([] {
        const auto pair = connected_sockets(socket_kind::tcp);
        BOOST_TEST(posix::send(pair.a.get(), "hello", 5, 0) == 5);
        char buffer[100];
        const ssize_t got = coir::with_timeout(
            10ms, [&] { return posix::recv(pair.b.get(), buffer, 100, MSG_WAITALL); });
        BOOST_TEST(got == 5);
    });
}

BOOST_AUTO_TEST_CASE(a_deadline_of_the_call_is_not_one_of_the_scope) {
    coir::run([] {
        const auto pair = connected_sockets(socket_kind::tcp);
        set_timeout(pair.a.get(), SO_RCVTIMEO, milliseconds(10));
        coir::with_timeout(10s, [&] {
            char letter = 0;
            BOOST_TEST(posix::recv(pair.a.get(), &letter, 1, 0) == -1);
            BOOST_TEST(errno == EAGAIN);
            BOOST_TEST(posix::poll(nullptr, 0, 5) == 0);
            BOOST_TEST(posix::usleep(1'000) == 0);
        });
    });
}

BOOST_AUTO_TEST_CASE(an_interrupted_sleep_tells_what_is_left) {
    coir::run([] {
        BOOST_CHECK_THROW(coir::with_timeout(10ms, [] { BOOST_TEST(posix::sleep(10) == 10U); }),
                          coir::timed_out);
    });
}

BOOST_AUTO_TEST_CASE(close_is_no_cancellation_point) {
    coir::run([] {
        auto pipe = pipe_ends();
        coir::cancel_scope scope;
        scope.run([&] {
            scope.cancel();
            BOOST_TEST(posix::dup2(pipe.a.get(), pipe.b.get()) == pipe.b.get());
            BOOST_TEST(posix::close(pipe.a.release()) == 0);
        });
    });
}

BOOST_AUTO_TEST_SUITE_END()
