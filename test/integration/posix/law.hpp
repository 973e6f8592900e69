// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/unique_fd.hpp"

#include <coir/posix.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <thread>
#include <vector>

// The law of coir::posix: one script of calls, run once with libc on a plain thread and once with
// coir::posix in a fiber, gives the same results, the same errno and the same data.
namespace coir::test {

using detail::unique_fd;
using std::chrono::milliseconds;

// The calls that a script makes, as libc's or as coir's.
struct posix_calls {
    unsigned int (*sleep)(unsigned int);
    int (*usleep)(useconds_t);
    int (*nanosleep)(const timespec*, timespec*);
    int (*clock_nanosleep)(clockid_t, int, const timespec*, timespec*);
    ssize_t (*read)(int, void*, std::size_t);
    ssize_t (*readv)(int, const iovec*, int);
    ssize_t (*write)(int, const void*, std::size_t);
    ssize_t (*writev)(int, const iovec*, int);
    ssize_t (*recv)(int, void*, std::size_t, int);
    ssize_t (*recvfrom)(int, void*, std::size_t, int, sockaddr*, socklen_t*);
    ssize_t (*recvmsg)(int, msghdr*, int);
    ssize_t (*send)(int, const void*, std::size_t, int);
    ssize_t (*sendto)(int, const void*, std::size_t, int, const sockaddr*, socklen_t);
    ssize_t (*sendmsg)(int, const msghdr*, int);
    int (*recvmmsg)(int, mmsghdr*, unsigned int, int, timespec*);
    int (*sendmmsg)(int, mmsghdr*, unsigned int, int);
    int (*connect)(int, const sockaddr*, socklen_t);
    int (*accept)(int, sockaddr*, socklen_t*);
    int (*accept4)(int, sockaddr*, socklen_t*, int);
    int (*close)(int);
    int (*dup2)(int, int);
    int (*poll)(pollfd*, nfds_t, int);
    int (*ppoll)(pollfd*, nfds_t, const timespec*, const sigset_t*);
    int (*select)(int, fd_set*, fd_set*, fd_set*, timeval*);
    int (*pselect)(int, fd_set*, fd_set*, fd_set*, const timespec*, const sigset_t*);
    pid_t (*wait)(int*);
    pid_t (*waitpid)(pid_t, int*, int);
    int (*waitid)(idtype_t, id_t, siginfo_t*, int);
    pid_t (*wait3)(int*, int, rusage*);
    pid_t (*wait4)(pid_t, int*, int, rusage*);
    int (*system)(const char*);
    FILE* (*popen)(const char*, const char*);
    int (*pclose)(FILE*);
    int (*flock)(int, int);
    int (*lockf)(int, int, off_t);
    int (*fcntl)(int, int, ...);
};

extern const posix_calls libc_calls;
extern const posix_calls coir_calls;

// For what a script stands on: a call that must succeed. Scripts and peers run on threads, where
// the checks of Boost.Test may not be made.
void must(bool succeeded);

// What a script has seen.
class transcript {
public:
    using clock = std::chrono::steady_clock;

    // Makes a call and writes down its result, errno if it failed, and whether errno was left alone
    // if it did not.
    template <class Call>
    auto call(const std::string& what, Call make) {
        errno = untouched;
        const auto result = make();
        const int error = errno;
        add(what + " = " + std::to_string(result) +
            (result < 0 || error != untouched ? " " + error_name(error) : ""));
        errno = error;
        return result;
    }

    // The same for a call that must not end before `earliest`.
    template <class Call>
    auto call_until(clock::time_point earliest, const std::string& what, Call make) {
        const auto result = call(what, make);
        ends(earliest, what);
        return result;
    }

    template <class Call>
    auto call_of_at_least(milliseconds time, const std::string& what, Call make) {
        return call_until(clock::now() + time, what, make);
    }

    // `what` must not end before `earliest`, and ends now.
    void ends(clock::time_point earliest, const std::string& what) {
        if (clock::now() < earliest) {
            too_early_.push_back(what);
        }
    }

    void add(std::string line) { lines_.push_back(std::move(line)); }
    const std::vector<std::string>& lines() const { return lines_; }
    // What ended too early. No part of the lines, which are compared: the kernel counts some of
    // libc's timeouts (SO_RCVTIMEO) in ticks, and a virtual machine that got none for a while gets
    // many at once.
    const std::vector<std::string>& too_early() const { return too_early_; }

private:
    static constexpr int untouched = EXDEV;  // what none of the calls fails with
    static std::string error_name(int error);

    std::vector<std::string> lines_;
    std::vector<std::string> too_early_;
};

using script = std::function<void(const posix_calls&, transcript&)>;

// Runs the script with libc on a thread; with coir in a fiber; and with coir on a plain thread in a
// scope that never ends, which makes its calls wait as a fiber's do. Checks that all three saw the
// same and left no descriptor open, and that nothing of coir's ended too early.
void check_law(const script& run);

// Does something on another thread after a while, and perhaps something else after another while:
// the peer that a blocked call waits for. Joined by the destructor.
class later {
public:
    static constexpr milliseconds a_while{30};

    explicit later(std::function<void()> act, milliseconds delay = a_while)
        : thread_([act = std::move(act), delay] {
              std::this_thread::sleep_for(delay);
              act();
          }) {}
    later(std::function<void()> act, std::function<void()> then)
        : later([act = std::move(act), then = std::move(then)] {
              act();
              std::this_thread::sleep_for(a_while);
              then();
          }) {}
    later(const later&) = delete;
    later& operator=(const later&) = delete;
    ~later() { thread_.join(); }

private:
    std::thread thread_;
};

enum class socket_kind { tcp, unix_stream, unix_datagram, udp };
std::ostream& operator<<(std::ostream& out, socket_kind kind);
inline bool is_stream(socket_kind kind) {
    return kind == socket_kind::tcp || kind == socket_kind::unix_stream;
}
inline constexpr socket_kind all_socket_kinds[] = {socket_kind::tcp, socket_kind::unix_stream,
                                                   socket_kind::unix_datagram, socket_kind::udp};
inline constexpr socket_kind stream_kinds[] = {socket_kind::tcp, socket_kind::unix_stream};

struct descriptor_pair {
    unique_fd a;
    unique_fd b;
};

descriptor_pair connected_sockets(socket_kind kind);
descriptor_pair pipe_ends();  // a reads, b writes
unique_fd listening_socket(sockaddr_in& address, int backlog = 16);

void set_nonblocking(int fd, bool on = true);
bool is_nonblocking(int fd);
void set_timeout(int fd, int option, milliseconds timeout);
std::string pattern(std::size_t size);  // bytes that show where a piece is missing

}  // namespace coir::test
