// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"

#include <coir/run.hpp>
#include <coir/timeout.hpp>

#include <dirent.h>
#include <netinet/in.h>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ostream>

namespace coir::test {

const posix_calls libc_calls{
    ::sleep,    ::usleep,   ::nanosleep, ::clock_nanosleep, ::read,    ::readv,   ::write,
    ::writev,   ::recv,     ::recvfrom,  ::recvmsg,         ::send,    ::sendto,  ::sendmsg,
    ::recvmmsg, ::sendmmsg, ::connect,   ::accept,          ::accept4, ::close,   ::dup2,
    ::poll,     ::ppoll,    ::select,    ::pselect,         ::wait,    ::waitpid, ::waitid,
    ::wait3,    ::wait4,    ::system,    ::popen,           ::pclose,  ::flock,   ::lockf,
    ::fcntl};

void must(bool succeeded) {
    if (!succeeded) {
        std::perror("a call that a test stands on has failed");
        std::abort();
    }
}

std::string transcript::error_name(int error) {
    const char* const name = ::strerrorname_np(error);
    return name != nullptr ? name : std::to_string(error);
}

namespace {

std::size_t open_descriptors() {
    std::size_t count = 0;
    DIR* const folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr) {
        ++count;
    }
    ::closedir(folder);
    return count;
}

}  // namespace

void check_law(const script& run) {
    transcript on_libc;
    std::thread([&] { run(libc_calls, on_libc); }).join();

    transcript in_fiber;
    transcript in_scope;
    const std::size_t before = open_descriptors();
    coir::run([&] { run(coir_calls, in_fiber); });
    std::thread([&] {
        coir::with_timeout(std::chrono::hours(1), [&] { run(coir_calls, in_scope); });
    }).join();
    BOOST_TEST(open_descriptors() == before);

    const auto& law = on_libc.lines();
    BOOST_TEST(!law.empty());
    BOOST_CHECK_EQUAL_COLLECTIONS(in_fiber.lines().begin(), in_fiber.lines().end(), law.begin(),
                                  law.end());
    BOOST_CHECK_EQUAL_COLLECTIONS(in_scope.lines().begin(), in_scope.lines().end(), law.begin(),
                                  law.end());
    BOOST_TEST(in_fiber.too_early() == std::vector<std::string>{},
               boost::test_tools::per_element());
    BOOST_TEST(in_scope.too_early() == std::vector<std::string>{},
               boost::test_tools::per_element());
}

std::ostream& operator<<(std::ostream& out, socket_kind kind) {
    constexpr const char* names[] = {"tcp", "unix stream", "unix datagram", "udp"};
    return out << names[static_cast<std::size_t>(kind)];
}

namespace {

sockaddr_in loopback() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// Binds to a free port of the loopback and says which.
sockaddr_in bind_somewhere(int fd) {
    sockaddr_in address = loopback();
    socklen_t size = sizeof address;
    must(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    must(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return address;
}

void connect_to(int fd, const sockaddr_in& address) {
    must(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

}  // namespace

unique_fd listening_socket(sockaddr_in& address, int backlog) {
    unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address = bind_somewhere(fd.get());
    must(::listen(fd.get(), backlog) == 0);
    return fd;
}

descriptor_pair connected_sockets(socket_kind kind) {
    descriptor_pair pair;
    if (kind == socket_kind::tcp) {
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address);
        pair.a = unique_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        connect_to(pair.a.get(), address);
        pair.b = unique_fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    } else if (kind == socket_kind::udp) {
        pair.a = unique_fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        pair.b = unique_fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const sockaddr_in a = bind_somewhere(pair.a.get());
        const sockaddr_in b = bind_somewhere(pair.b.get());
        connect_to(pair.a.get(), b);
        connect_to(pair.b.get(), a);
    } else {
        int fds[2];
        const int type = kind == socket_kind::unix_stream ? SOCK_STREAM : SOCK_DGRAM;
        must(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) == 0);
        pair.a = unique_fd(fds[0]);
        pair.b = unique_fd(fds[1]);
    }
    return pair;
}

descriptor_pair pipe_ends() {
    int fds[2];
    must(::pipe2(fds, O_CLOEXEC) == 0);
    return {unique_fd(fds[0]), unique_fd(fds[1])};
}

void set_nonblocking(int fd, bool on) {
    const int flags = ::fcntl(fd, F_GETFL);
    ::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

bool is_nonblocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

void set_timeout(int fd, int option, milliseconds timeout) {
    const timeval value{timeout.count() / 1000, timeout.count() % 1000 * 1000};
    must(::setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) == 0);
}

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>('a' + i % 23);
    }
    return text;
}

}  // namespace coir::test
