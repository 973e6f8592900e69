// SPDX-License-Identifier: BSL-1.0
// TCP echo over loopback: what a request costs a server of coir's, as a ratio to a server written
// straight on epoll, measured in adjacent windows. The load is a closed loop in this process, each
// server a child of its own on the other core; every answer is compared with its question.
//
//     bench_echo [connections [bytes [requests a window [rounds]]]]
#include <coir/coir.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

struct load {
    std::size_t connections = 50;
    std::size_t bytes = 64;
    std::size_t requests = 100'000;
    std::size_t rounds = 7;
};

struct window {
    double requests_per_second;
    double p50_us;
    double p99_us;
    double server_cpu_us;  // a request
};

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

int checked(int result, const char* what) {
    if (result < 0) {
        fail(what);
    }
    return result;
}

void pin_to(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

// --- Servers: each serves a listening descriptor until it is killed
// --------------------------------

void serve_with_coir(coir::reactor_kind reactor, int listener) {
    coir::run_options options;
    options.reactor = reactor;
    coir::run(options, [&] {
        for (;;) {
            const int accepted = coir::posix::accept(listener, nullptr, nullptr);
            checked(accepted, "accept");
            const int on = 1;
            ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            coir::fiber([socket = coir::net::tcp_socket::from_native(accepted)]() mutable {
                std::array<char, 16384> buffer;
                while (const std::size_t got = socket.read_some(buffer.data(), buffer.size())) {
                    socket.write_all(buffer.data(), got);
                }
            }).detach();
        }
    });
}

void answer_all(int socket) {
    std::array<char, 16384> buffer;
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) {
        ::close(socket);
        return;
    }
    // The load never has more than one request under way, so there is room.
    if (::send(socket, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) {
        ::close(socket);
    }
}

void serve_with_raw_epoll(int listener) {
    const int epoll = checked(::epoll_create1(0), "epoll_create1");
    const auto watch = [&](int descriptor) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = descriptor;
        checked(::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
    };
    watch(listener);
    std::array<epoll_event, 256> events;
    for (;;) {
        const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int ready = events[static_cast<std::size_t>(i)].data.fd;
            if (ready != listener) {
                answer_all(ready);
                continue;
            }
            const int accepted =
                checked(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK), "accept4");
            const int on = 1;
            ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(accepted);
        }
    }
}

// --- The load
// ---------------------------------------------------------------------------------------

class server_process {
public:
    explicit server_process(const std::function<void(int)>& serve) {
        listener_ = checked(::socket(AF_INET, SOCK_STREAM, 0), "socket");
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        checked(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
        checked(::listen(listener_, 4096), "listen");
        socklen_t size = sizeof address_;
        checked(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size),
                "getsockname");
        process_ = checked(::fork(), "fork");
        if (process_ == 0) {
            pin_to(0);
            try {
                serve(listener_);
            } catch (const std::exception& error) {
                std::fprintf(stderr, "server: %s\n", error.what());
            }
            ::_exit(1);
        }
        ::close(listener_);
    }
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;
    ~server_process() {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }

    int connect() const {
        const int socket = checked(::socket(AF_INET, SOCK_STREAM, 0), "socket");
        checked(::connect(socket, reinterpret_cast<const sockaddr*>(&address_), sizeof address_),
                "connect");
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return socket;
    }

    // The processor time that the server has used, in microseconds, from its main thread's clock.
    double cpu_us() const {
        clockid_t clock{};
        timespec spent{};
        if (::clock_getcpuclockid(process_, &clock) != 0 || ::clock_gettime(clock, &spent) != 0) {
            fail("clock_getcpuclockid");
        }
        return static_cast<double>(spent.tv_sec) * 1e6 + static_cast<double>(spent.tv_nsec) / 1e3;
    }

private:
    int listener_ = -1;
    sockaddr_in address_{};
    pid_t process_ = -1;
};

class client {
public:
    client(const server_process& server, const load& what) : server_(server), load_(what) {
        epoll_ = checked(::epoll_create1(0), "epoll_create1");
        for (std::size_t i = 0; i < load_.connections; ++i) {
            connections_.push_back({server.connect(), {}, 0});
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back().socket, &event),
                    "epoll_ctl");
        }
    }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() {
        for (const connection& each : connections_) {
            ::close(each.socket);
        }
        ::close(epoll_);
    }

    // One request at a time on each connection, until so many have been answered.
    window measure(std::size_t requests) {
        latencies_.clear();
        latencies_.reserve(requests);
        const double cpu_before = server_.cpu_us();
        const auto start = clock::now();
        std::size_t asked = 0;
        for (connection& each : connections_) {
            if (asked < requests) {
                ask(each);
                ++asked;
            }
        }
        std::array<epoll_event, 256> events;
        while (latencies_.size() < requests) {
            const int count =
                ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 10'000);
            if (count <= 0) {
                throw std::runtime_error("the server does not answer");
            }
            for (int i = 0; i < count; ++i) {
                connection& each = connections_[events[static_cast<std::size_t>(i)].data.u64];
                if (take_answer(each) && asked < requests) {
                    ask(each);
                    ++asked;
                }
            }
        }
        const std::chrono::duration<double> took = clock::now() - start;
        const double cpu = server_.cpu_us() - cpu_before;
        std::sort(latencies_.begin(), latencies_.end());
        const auto n = static_cast<double>(requests);
        return {n / took.count(), latencies_[requests / 2], latencies_[requests * 99 / 100],
                cpu / n};
    }

private:
    using clock = std::chrono::steady_clock;
    struct connection {
        int socket;
        clock::time_point asked;
        std::size_t answered;  // bytes of the present answer
    };

    void ask(connection& each) {
        question_.assign(load_.bytes, static_cast<char>('a' + each.socket % 26));
        each.asked = clock::now();
        each.answered = 0;
        if (::send(each.socket, question_.data(), question_.size(), 0) !=
            static_cast<ssize_t>(question_.size())) {
            fail("send");
        }
    }

    bool take_answer(connection& each) {
        buffer_.resize(load_.bytes);
        const ssize_t got = ::recv(each.socket, buffer_.data(), load_.bytes - each.answered, 0);
        if (got <= 0) {
            throw std::runtime_error("the server has closed a connection");
        }
        const char expected = static_cast<char>('a' + each.socket % 26);
        if (std::any_of(buffer_.begin(), buffer_.begin() + got,
                        [&](char c) { return c != expected; })) {
            throw std::runtime_error("a wrong answer");
        }
        each.answered += static_cast<std::size_t>(got);
        if (each.answered < load_.bytes) {
            return false;
        }
        latencies_.push_back(
            std::chrono::duration<double, std::micro>(clock::now() - each.asked).count());
        return true;
    }

    const server_process& server_;
    const load load_;
    int epoll_;
    std::vector<connection> connections_;
    std::vector<double> latencies_;
    std::string question_;
    std::vector<char> buffer_;
};

double median_of(std::vector<window> windows, double window::*member) {
    std::sort(windows.begin(), windows.end(),
              [&](const window& a, const window& b) { return a.*member < b.*member; });
    return windows[windows.size() / 2].*member;
}

std::size_t argument(int argc, char** argv, int index, std::size_t otherwise) {
    if (index >= argc) {
        return otherwise;
    }
    const std::string text = argv[index];
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number == 0) {
        throw std::invalid_argument("'" + text +
                                    "' is no number above 0\nusage: bench_echo [connections [bytes "
                                    "[requests a window [rounds]]]]");
    }
    return number;
}

void run(const load& what) {
    struct contestant {
        const char* name;
        std::function<void(int)> serve;
        std::vector<window> windows;
        std::vector<double> ratios;  // of the server's time to the raw server's in the same round
    };
    std::vector<contestant> all{
        {"raw epoll", serve_with_raw_epoll, {}, {}},
        {"coir, epoll", [](int l) { serve_with_coir(coir::reactor_kind::epoll, l); }, {}, {}},
        {"coir, io_uring", [](int l) { serve_with_coir(coir::reactor_kind::io_uring, l); }, {}, {}},
        {"coir, poll", [](int l) { serve_with_coir(coir::reactor_kind::poll, l); }, {}, {}},
    };
    pin_to(1);
    for (std::size_t round = 0; round < what.rounds; ++round) {
        for (contestant& each : all) {
            const server_process server(each.serve);
            client clients(server, what);
            clients.measure(what.requests / 10);  // warm
            each.windows.push_back(clients.measure(what.requests));
            each.ratios.push_back(each.windows.back().server_cpu_us /
                                  all.front().windows.back().server_cpu_us);
        }
    }
    std::printf("%zu connections, %zu bytes, %zu requests a window, medians of %zu\n",
                what.connections, what.bytes, what.requests, what.rounds);
    std::printf("%-14s %12s %9s %9s %18s %14s\n", "server", "requests/s", "p50 us", "p99 us",
                "server CPU us/req", "ratio to raw");
    for (contestant& each : all) {
        std::sort(each.ratios.begin(), each.ratios.end());
        std::printf(
            "%-14s %12.0f %9.1f %9.1f %18.3f %14.3f\n", each.name,
            median_of(each.windows, &window::requests_per_second),
            median_of(each.windows, &window::p50_us), median_of(each.windows, &window::p99_us),
            median_of(each.windows, &window::server_cpu_us), each.ratios[each.ratios.size() / 2]);
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        load what;
        what.connections = argument(argc, argv, 1, what.connections);
        what.bytes = argument(argc, argv, 2, what.bytes);
        what.requests = argument(argc, argv, 3, what.requests);
        what.rounds = argument(argc, argv, 4, what.rounds);
        run(what);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_echo: %s\n", error.what());
        return 1;
    }
}
