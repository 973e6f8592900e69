// SPDX-License-Identifier: BSL-1.0
// A signal ends the waits that it ends on a thread with libc: signal(7).
#include "hook/signals.hpp"

#include "support/temporary.hpp"

#include <fcntl.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <array>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <string>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

// A call that waits, and what it waits for.
struct waiting_call {
    std::function<void(const posix_calls&, transcript&)> make;
    std::function<void()> finish;  // where no signal ends it
};

struct interruptible {
    const char* name;
    waiting_call (*prepare)();
    friend std::ostream& operator<<(std::ostream& out, const interruptible& one) {
        return out << one.name;
    }
};

// A read of any kind: `receive` is given the descriptor, and gets "hello" in the end.
template <class Receive>
waiting_call receiving(descriptor_pair ends, Receive receive) {
    const auto pair = std::make_shared<descriptor_pair>(std::move(ends));
    return {[pair, receive](const posix_calls& c, transcript& t) {
                t.call("call", [&] { return receive(c, pair->a.get()); });
            },
            [pair] {
                must(::write(pair->b.get(), "hello", 5) == 5);
            }};
}

waiting_call receiving_by_read(descriptor_pair ends) {
    return receiving(std::move(ends), [](const posix_calls& c, int fd) {
        char text[10];
        return c.read(fd, text, sizeof text);
    });
}

waiting_call of_read_from_a_pipe() { return receiving_by_read(pipe_ends()); }
waiting_call of_read_from_a_socket() {
    return receiving_by_read(connected_sockets(socket_kind::tcp));
}
waiting_call of_read_with_a_timeout() {
    descriptor_pair pair = connected_sockets(socket_kind::unix_stream);
    set_timeout(pair.a.get(), SO_RCVTIMEO, milliseconds(5'000));
    return receiving_by_read(std::move(pair));
}
waiting_call of_readv() {
    return receiving(pipe_ends(), [](const posix_calls& c, int fd) {
        char text[10];
        const iovec parts[] = {{text, 5}, {text + 5, 5}};
        return c.readv(fd, parts, 2);
    });
}
waiting_call of_recv() {
    return receiving(connected_sockets(socket_kind::unix_stream), [](const posix_calls& c, int fd) {
        char text[10];
        return c.recv(fd, text, sizeof text, 0);
    });
}
waiting_call of_recv_of_all() {
    descriptor_pair pair = connected_sockets(socket_kind::tcp);
    must(::write(pair.b.get(), "12345", 5) == 5);
    return receiving(std::move(pair), [](const posix_calls& c, int fd) {
        char text[10];
        return c.recv(fd, text, sizeof text, MSG_WAITALL);
    });
}
waiting_call of_recvmsg() {
    return receiving(connected_sockets(socket_kind::unix_datagram),
                     [](const posix_calls& c, int fd) {
                         char text[10];
                         iovec part{text, sizeof text};
                         msghdr message{};
                         message.msg_iov = &part;
                         message.msg_iovlen = 1;
                         return c.recvmsg(fd, &message, 0);
                     });
}
waiting_call of_recvmmsg() {
    return receiving(connected_sockets(socket_kind::unix_datagram),
                     [](const posix_calls& c, int fd) {
                         char text[10];
                         iovec part{text, sizeof text};
                         mmsghdr message{};
                         message.msg_hdr.msg_iov = &part;
                         message.msg_hdr.msg_iovlen = 1;
                         return c.recvmmsg(fd, &message, 1, 0, nullptr);
                     });
}

template <class Wait>
waiting_call awaiting_readiness(Wait wait) {
    return receiving(pipe_ends(), wait);
}

waiting_call of_poll() {
    return awaiting_readiness([](const posix_calls& c, int fd) {
        pollfd polled{fd, POLLIN, 0};
        return c.poll(&polled, 1, -1);
    });
}
waiting_call of_poll_with_a_timeout() {
    return awaiting_readiness([](const posix_calls& c, int fd) {
        pollfd polled{fd, POLLIN, 0};
        return c.poll(&polled, 1, 5'000);
    });
}
waiting_call of_poll_of_nothing() {
    return {[](const posix_calls& c, transcript& t) {
                t.call("call", [&] { return c.poll(nullptr, 0, -1); });
            },
            {}};
}
waiting_call of_ppoll() {
    return awaiting_readiness([](const posix_calls& c, int fd) {
        sigset_t mask;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        pollfd polled{fd, POLLIN, 0};
        return c.ppoll(&polled, 1, nullptr, &mask);
    });
}
waiting_call of_select() {
    return awaiting_readiness([](const posix_calls& c, int fd) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(fd, &set);
        timeval timeout{5, 0};
        const int found = c.select(fd + 1, &set, nullptr, nullptr, &timeout);
        must(timeout.tv_sec == 4 && FD_ISSET(fd, &set));
        return found;
    });
}
waiting_call of_pselect() {
    return awaiting_readiness([](const posix_calls& c, int fd) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(fd, &set);
        return c.pselect(fd + 1, &set, nullptr, nullptr, nullptr, nullptr);
    });
}
waiting_call of_epoll_wait() {
    return awaiting_readiness([](const posix_calls&, int fd) {
        const unique_fd epoll(::epoll_create1(EPOLL_CLOEXEC));
        epoll_event event{};
        event.events = EPOLLIN;
        must(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0);
        return ::epoll_wait(epoll.get(), &event, 1, -1);
    });
}

std::string describe_left(const timespec& left) {
    const bool a_part = left.tv_sec == 4 && left.tv_nsec > 0 && left.tv_nsec < 1'000'000'000;
    return a_part ? "  a part of it is left" : "  a wrong rest is left";
}

template <class Sleep>
waiting_call sleeping(Sleep sleep) {
    return {[sleep](const posix_calls& c, transcript& t) { sleep(c, t); }, {}};
}

waiting_call of_nanosleep() {
    return sleeping([](const posix_calls& c, transcript& t) {
        const timespec time{5, 0};
        timespec left{};
        t.call("call", [&] { return c.nanosleep(&time, &left); });
        t.add(describe_left(left));
    });
}
waiting_call of_clock_nanosleep() {
    return sleeping([](const posix_calls& c, transcript& t) {
        const timespec time{5, 0};
        timespec left{};
        t.call("call", [&] { return c.clock_nanosleep(CLOCK_REALTIME, 0, &time, &left); });
        t.add(describe_left(left));
    });
}
waiting_call of_clock_nanosleep_until() {
    return sleeping([](const posix_calls& c, transcript& t) {
        for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
            timespec until{};
            ::clock_gettime(clock, &until);
            until.tv_sec += 5;
            timespec left{7, 7};
            t.call("call", [&] { return c.clock_nanosleep(clock, TIMER_ABSTIME, &until, &left); });
            t.add(std::to_string(left.tv_sec) + " is left alone");
        }
    });
}
waiting_call of_usleep() {
    return sleeping([](const posix_calls& c, transcript& t) {
        t.call("call", [&] { return c.usleep(5'000'000); });
    });
}
waiting_call of_sleep() {
    return sleeping(
        [](const posix_calls& c, transcript& t) { t.call("call", [&] { return c.sleep(5); }); });
}

waiting_call accepting(bool with_timeout) {
    struct listener {
        sockaddr_in address{};
        unique_fd fd = listening_socket(address);
        unique_fd peer{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    };
    const auto l = std::make_shared<listener>();
    if (with_timeout) {
        set_timeout(l->fd.get(), SO_RCVTIMEO, milliseconds(5'000));
    }
    return {[l](const posix_calls& c, transcript& t) {
                const int accepted = c.accept(l->fd.get(), nullptr, nullptr);
                t.add(accepted >= 0 ? "accepted" : errno == EINTR ? "EINTR" : "another error");
                const unique_fd closed(accepted);
            },
            [l] {
                must(::connect(l->peer.get(), reinterpret_cast<sockaddr*>(&l->address),
                               sizeof l->address) == 0);
            }};
}
waiting_call of_accept() { return accepting(false); }
waiting_call of_accept_with_a_timeout() { return accepting(true); }

waiting_call of_waitpid() {
    const pid_t child = ::fork();
    must(child >= 0);
    if (child == 0) {
        for (;;) {
            ::pause();
        }
    }
    const std::shared_ptr<const pid_t> process(new pid_t(child), [](const pid_t* p) {
        ::kill(*p, SIGKILL);
        while (::waitpid(*p, nullptr, 0) < 0 && errno == EINTR) {
        }
        delete p;
    });
    return {[process](const posix_calls& c, transcript& t) {
                const pid_t found = c.waitpid(*process, nullptr, 0);
                t.add(found == *process ? "ended" : errno == EINTR ? "EINTR" : "another error");
            },
            [process] {
                ::kill(*process, SIGKILL);
            }};
}

waiting_call of_flock() {
    const auto first = std::make_shared<unique_fd>(temporary_file());
    const std::string path = "/proc/self/fd/" + std::to_string(first->get());
    const auto second = std::make_shared<unique_fd>(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    must(::flock(first->get(), LOCK_EX) == 0);
    return {[first, second](const posix_calls& c, transcript& t) {
                t.call("call", [&] { return c.flock(second->get(), LOCK_EX); });
            },
            [first] {
                ::flock(first->get(), LOCK_UN);
            }};
}

using semaphore_wait = int (*)(sem_t*);

waiting_call on_a_semaphore(semaphore_wait wait) {
    const std::shared_ptr<sem_t> s(new sem_t, [](sem_t* p) {
        ::sem_destroy(p);
        delete p;
    });
    must(::sem_init(s.get(), 0, 0) == 0);
    return {[s, wait](const posix_calls&, transcript& t) {
                t.call("call", [&] { return wait(s.get()); });
            },
            [s] {
                ::sem_post(s.get());
            }};
}
waiting_call of_sem_wait() {
    return on_a_semaphore([](sem_t* s) { return ::sem_wait(s); });
}
waiting_call of_sem_timedwait() {
    return on_a_semaphore([](sem_t* s) {
        timespec until{};
        ::clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 5;
        return ::sem_timedwait(s, &until);
    });
}

const interruptible calls_that_wait[] = {
    {"read from a pipe", of_read_from_a_pipe},
    {"read from a socket", of_read_from_a_socket},
    {"read with SO_RCVTIMEO", of_read_with_a_timeout},
    {"readv", of_readv},
    {"recv", of_recv},
    {"recv of all", of_recv_of_all},
    {"recvmsg", of_recvmsg},
    {"recvmmsg", of_recvmmsg},
    {"accept", of_accept},
    {"accept with SO_RCVTIMEO", of_accept_with_a_timeout},
    {"poll", of_poll},
    {"poll with a timeout", of_poll_with_a_timeout},
    {"poll of nothing", of_poll_of_nothing},
    {"ppoll", of_ppoll},
    {"select", of_select},
    {"pselect", of_pselect},
    {"epoll_wait", of_epoll_wait},
    {"nanosleep", of_nanosleep},
    {"clock_nanosleep", of_clock_nanosleep},
    {"clock_nanosleep until", of_clock_nanosleep_until},
    {"usleep", of_usleep},
    {"sleep", of_sleep},
    {"waitpid", of_waitpid},
    {"flock", of_flock},
    {"sem_wait", of_sem_wait},
    {"sem_timedwait", of_sem_timedwait},
};

// Writes more than the kernel takes while nobody reads.
struct large_write {
    const char* name;
    bool into_a_pipe;
    ssize_t (*make)(const posix_calls& c, int fd, const std::string& text);
    friend std::ostream& operator<<(std::ostream& out, const large_write& one) {
        return out << one.name;
    }
};

const large_write large_writes[] = {
    {"write to a pipe", true,
     [](const posix_calls& c, int fd, const std::string& text) {
         return c.write(fd, text.data(), text.size());
     }},
    {"writev to a pipe", true,
     [](const posix_calls& c, int fd, const std::string& text) {
         const iovec parts[] = {{const_cast<char*>(text.data()), 10},
                                {const_cast<char*>(text.data()) + 10, text.size() - 10}};
         return c.writev(fd, parts, 2);
     }},
    {"write to a socket", false,
     [](const posix_calls& c, int fd, const std::string& text) {
         return c.write(fd, text.data(), text.size());
     }},
    {"send", false,
     [](const posix_calls& c, int fd, const std::string& text) {
         return c.send(fd, text.data(), text.size(), 0);
     }},
    {"sendfile", false,
     [](const posix_calls&, int fd, const std::string& text) {
         const unique_fd file = temporary_file();
         must(::write(file.get(), text.data(), text.size()) == ssize_t(text.size()));
         off_t offset = 0;
         return ::sendfile(fd, file.get(), &offset, text.size());
     }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(waits_that_a_signal_ends)

BOOST_DATA_TEST_CASE(a_handler_without_sa_restart_ends_what_it_ends_with_libc,
                     data::make(calls_that_wait), one) {
    check_law([&](const posix_calls& c, transcript& t) {
        const with_handler handler(SIGUSR1, count_handled);
        const waiting_call call = one.prepare();
        const pesterer signals(::pthread_self(), SIGUSR1);
        call.make(c, t);
    });
}

BOOST_DATA_TEST_CASE(one_with_sa_restart_ends_only_what_is_never_restarted,
                     data::make(calls_that_wait), one) {
    check_law([&](const posix_calls& c, transcript& t) {
        const with_handler handler(SIGUSR1, count_handled, SA_RESTART);
        const waiting_call call = one.prepare();
        const pesterer signals(::pthread_self(), SIGUSR1, call.finish);
        handled = 0;
        call.make(c, t);
        t.add(handled > 0 ? "handled" : "not handled");
    });
}

BOOST_DATA_TEST_CASE(a_write_that_a_signal_ends_half_way_tells_how_much_it_has_written,
                     data::make(large_writes), one) {
    check_law([&](const posix_calls& c, transcript& t) {
        const with_handler handler(SIGUSR1, count_handled);
        const auto pair = one.into_a_pipe ? pipe_ends() : connected_sockets(socket_kind::tcp);
        const std::string text = pattern(16 << 20);
        const pesterer signals(::pthread_self(), SIGUSR1);
        errno = 0;
        const ssize_t written = one.make(c, pair.b.get(), text);
        t.add(written > 0 && written < ssize_t(text.size()) && errno == 0 ? "a part" : "not so");
        if (one.into_a_pipe) {
            t.add(std::to_string(written));
        }
    });
}

BOOST_DATA_TEST_CASE(a_write_that_has_a_part_tells_of_it_whatever_the_flags,
                     data::make({true, false}), into_a_pipe) {
    check_law([&](const posix_calls& c, transcript& t) {
        const with_handler handler(SIGUSR1, count_handled, SA_RESTART);
        const auto pair = into_a_pipe ? pipe_ends() : connected_sockets(socket_kind::tcp);
        const std::string text = pattern(8 << 20);
        std::string got(text.size(), '\0');
        std::atomic<int> calls = 0;
        {
            const later reader([&] {
                // The first write must end though nobody reads. If it does not, so that it ends
                // after all:
                const auto patience = transcript::clock::now() + std::chrono::seconds(10);
                while (calls == 0 && transcript::clock::now() < patience) {
                    std::this_thread::sleep_for(milliseconds(1));
                }
                for (std::size_t size = 0; size < got.size();) {
                    const ssize_t more = ::read(pair.a.get(), got.data() + size, got.size() - size);
                    must(more > 0);
                    size += std::size_t(more);
                }
            });
            const pesterer signals(::pthread_self(), SIGUSR1);
            for (std::size_t size = 0; size < text.size(); ++calls) {
                const ssize_t more = c.write(pair.b.get(), text.data() + size, text.size() - size);
                must(more > 0);  // never EINTR
                size += std::size_t(more);
            }
        }
        t.add(calls > 1 ? "in parts" : "at once");
        t.add(got == text ? "the same" : "something else");
    });
}

BOOST_AUTO_TEST_SUITE_END()
