// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"
#include "support/temporary.hpp"

#include <pty.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

void read_from(const posix_calls& c, transcript& t, int fd, std::size_t size) {
    std::string buffer(size, '\0');
    const ssize_t got = t.call("read", [&] { return c.read(fd, buffer.data(), size); });
    if (got > 0) {
        t.add("  " + buffer.substr(0, static_cast<std::size_t>(got)));
    }
}

void put(int fd, const std::string& text) {
    must(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

unique_fd temporary_file(const std::string& content) {
    unique_fd fd = coir::test::temporary_file();
    put(fd.get(), content);
    ::lseek(fd.get(), 0, SEEK_SET);
    return fd;
}

struct terminal {
    terminal() {
        int master_fd = -1;
        int slave_fd = -1;
        must(::openpty(&master_fd, &slave_fd, nullptr, nullptr, nullptr) == 0);
        master = unique_fd(master_fd);
        slave = unique_fd(slave_fd);
    }
    void make_raw(cc_t minimum, cc_t tenths) const {
        termios settings{};
        ::tcgetattr(slave.get(), &settings);
        ::cfmakeraw(&settings);
        settings.c_cc[VMIN] = minimum;
        settings.c_cc[VTIME] = tenths;
        ::tcsetattr(slave.get(), TCSANOW, &settings);
    }
    unique_fd master;
    unique_fd slave;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_read)

BOOST_DATA_TEST_CASE(a_socket_is_read, data::make(all_socket_kinds), kind) {
    check_law([=](const posix_calls& c, transcript& t) {
        const auto pair = connected_sockets(kind);
        const later peer([&] { put(pair.b.get(), "hello"); });
        read_from(c, t, pair.a.get(), 100);
        set_nonblocking(pair.a.get());
        read_from(c, t, pair.a.get(), 100);
    });
}

BOOST_AUTO_TEST_CASE(a_pipe_is_read_to_its_end) {
    check_law([](const posix_calls& c, transcript& t) {
        auto pipe = pipe_ends();
        put(pipe.b.get(), "hello world");
        read_from(c, t, pipe.a.get(), 5);
        read_from(c, t, pipe.a.get(), 0);
        read_from(c, t, pipe.a.get(), 100);
        {
            const later peer([&] { put(pipe.b.get(), "more"); });
            read_from(c, t, pipe.a.get(), 100);
        }
        set_nonblocking(pipe.a.get());
        read_from(c, t, pipe.a.get(), 100);
        set_nonblocking(pipe.a.get(), false);
        const later end([&] { pipe.b.reset(); });
        read_from(c, t, pipe.a.get(), 100);
        read_from(c, t, pipe.a.get(), 100);
    });
}

BOOST_AUTO_TEST_CASE(parts_are_filled_in_order) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        const auto pair = connected_sockets(socket_kind::tcp);
        const std::pair<int, int> both[] = {{pipe.a.get(), pipe.b.get()},
                                            {pair.a.get(), pair.b.get()}};
        for (const auto& [from, to] : both) {
            const later peer([out = to] { put(out, "hello world"); });
            std::string buffer(20, '.');
            const iovec parts[] = {{buffer.data() + 10, 6}, {nullptr, 0}, {buffer.data(), 6}};
            t.call("readv", [&, in = from] { return c.readv(in, parts, 3); });
            t.add("  " + buffer);
            const iovec none[] = {{buffer.data(), 0}, {buffer.data(), 0}};
            t.call("readv nothing", [&, in = from] { return c.readv(in, none, 2); });
        }
    });
}

BOOST_AUTO_TEST_CASE(a_file_is_read_whole) {
    check_law([](const posix_calls& c, transcript& t) {
        const std::string content = pattern(300'000);
        const unique_fd file = temporary_file(content);
        std::string buffer(400'000, '\0');
        t.call("read", [&] { return c.read(file.get(), buffer.data(), buffer.size()); });
        t.add(buffer.compare(0, content.size(), content) == 0 ? "  the content" : "  other bytes");
        t.call("read", [&] { return c.read(file.get(), buffer.data(), buffer.size()); });
        const unique_fd folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        t.call("read a folder", [&] { return c.read(folder.get(), buffer.data(), 10); });
        const unique_fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
        t.call("read null", [&] { return c.read(null.get(), buffer.data(), 10); });
        const unique_fd zero(::open("/dev/zero", O_RDWR | O_CLOEXEC));
        t.call("read zero", [&] { return c.read(zero.get(), buffer.data(), 100'000); });
        const unique_fd random(::open("/dev/urandom", O_RDONLY | O_CLOEXEC));
        t.call("read random", [&] { return c.read(random.get(), buffer.data(), 1000); });
        const unique_fd process(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
        t.call("read proc", [&] { return c.read(process.get(), buffer.data(), 20); });
    });
}

BOOST_AUTO_TEST_CASE(an_eventfd_is_read) {
    check_law([](const posix_calls& c, transcript& t) {
        const unique_fd event(::eventfd(3, EFD_CLOEXEC));
        std::uint64_t value = 0;
        char small[4];
        t.call("read", [&] { return c.read(event.get(), &value, sizeof value); });
        t.add("  " + std::to_string(value));
        t.call("read too little", [&] { return c.read(event.get(), small, sizeof small); });
        {
            const later peer([&] { ::eventfd_write(event.get(), 7); });
            t.call("read", [&] { return c.read(event.get(), &value, sizeof value); });
            t.add("  " + std::to_string(value));
        }
        set_nonblocking(event.get());
        t.call("read", [&] { return c.read(event.get(), &value, sizeof value); });
    });
}

BOOST_AUTO_TEST_CASE(a_timerfd_is_read) {
    check_law([](const posix_calls& c, transcript& t) {
        const unique_fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
        const itimerspec once{{0, 0}, {0, 40'000'000}};
        const auto expires = transcript::clock::now() + milliseconds(40);
        ::timerfd_settime(timer.get(), 0, &once, nullptr);
        std::uint64_t count = 0;
        t.call_until(expires, "read", [&] { return c.read(timer.get(), &count, sizeof count); });
        t.add("  " + std::to_string(count));
    });
}

BOOST_AUTO_TEST_CASE(a_signalfd_is_read) {
    check_law([](const posix_calls& c, transcript& t) {
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, SIGUSR1);
        sigset_t before;
        ::pthread_sigmask(SIG_BLOCK, &set, &before);
        {
            const unique_fd signals(::signalfd(-1, &set, SFD_CLOEXEC));
            const auto self = ::pthread_self();
            signalfd_siginfo info{};
            t.call("read too little", [&] { return c.read(signals.get(), &info, 8); });
            const later peer([self] { ::pthread_kill(self, SIGUSR1); });
            t.call("read", [&] { return c.read(signals.get(), &info, sizeof info); });
            t.add("  " + std::to_string(info.ssi_signo));
        }
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    });
}

BOOST_AUTO_TEST_CASE(an_inotify_is_read) {
    check_law([](const posix_calls& c, transcript& t) {
        const coir::test::temporary_folder folder;
        const std::string file = folder.path() + "/file";
        const unique_fd watch(::inotify_init1(IN_CLOEXEC));
        ::inotify_add_watch(watch.get(), folder.path().c_str(), IN_CREATE);
        {
            const later peer([&] {
                const unique_fd made(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
            });
            char buffer[4096];
            t.call("read", [&] { return c.read(watch.get(), buffer, sizeof buffer); });
        }
    });
}

BOOST_AUTO_TEST_CASE(a_terminal_is_read_by_lines_and_raw) {
    check_law([](const posix_calls& c, transcript& t) {
        const terminal tty;
        {
            const later peer([&] {
                put(tty.master.get(), "half ");
                std::this_thread::sleep_for(milliseconds(30));
                put(tty.master.get(), "line\n");
            });
            read_from(c, t, tty.slave.get(), 100);
        }
        tty.make_raw(1, 0);
        {
            const later peer([&] { put(tty.master.get(), "k"); });
            read_from(c, t, tty.slave.get(), 100);
        }
        tty.make_raw(0, 0);
        read_from(c, t, tty.slave.get(), 100);
        tty.make_raw(0, 1);
        char letter = 0;
        t.call_of_at_least(milliseconds(99), "read",
                           [&] { return c.read(tty.slave.get(), &letter, 1); });
        const later peer([&] { put(tty.master.get(), "z"); });
        read_from(c, t, tty.slave.get(), 100);
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        char buffer[8];
        t.call("read of -1", [&] { return c.read(-1, buffer, 8); });
        t.call("read of nothing open", [&] { return c.read(987, buffer, 8); });
        t.call("read the end to write", [&] { return c.read(pipe.b.get(), buffer, 8); });
        put(pipe.b.get(), "x");
        const unique_fd path(::open("/", O_PATH | O_CLOEXEC));
        t.call("read a path", [&] { return c.read(path.get(), buffer, 8); });
        const iovec part{buffer, 8};
        t.call("readv -1", [&] { return c.readv(pipe.a.get(), &part, -1); });
        t.call("readv none", [&] { return c.readv(pipe.a.get(), &part, 0); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
