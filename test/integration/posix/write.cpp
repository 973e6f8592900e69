// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"
#include "support/temporary.hpp"

#include <pty.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdlib>

using namespace coir::test;

namespace {

std::string read_to_end(int fd) {
    std::string all;
    char buffer[30'000];
    for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
        all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
}

// Ignores SIGPIPE, as the test would be killed by what libc does too.
class without_sigpipe {
public:
    without_sigpipe() : before_(::signal(SIGPIPE, count)) { raised = 0; }
    without_sigpipe(const without_sigpipe&) = delete;
    without_sigpipe& operator=(const without_sigpipe&) = delete;
    ~without_sigpipe() { ::signal(SIGPIPE, before_); }
    static inline volatile std::sig_atomic_t raised = 0;

private:
    static void count(int) { raised = raised + 1; }
    void (*before_)(int);
};

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_write)

BOOST_AUTO_TEST_CASE(a_blocking_write_to_a_pipe_is_complete) {
    check_law([](const posix_calls& c, transcript& t) {
        std::string text = pattern(1'000'000);
        std::vector<iovec> parts;
        for (std::size_t i = 0; i < 1000; ++i) {
            parts.push_back({text.data() + i * 1000, 1000});
        }
        for (const bool in_parts : {false, true}) {
            auto pipe = pipe_ends();
            std::string received;
            {
                const later peer([&] { received = read_to_end(pipe.a.get()); });
                t.call("write", [&] {
                    return in_parts ? c.writev(pipe.b.get(), parts.data(), 1000)
                                    : c.write(pipe.b.get(), text.data(), text.size());
                });
                pipe.b.reset();
            }
            t.add(received == text ? "  all of it" : "  something else");
        }
    });
}

// Two fibers, or threads, write records of PIPE_BUF bytes each: none may be torn.
BOOST_AUTO_TEST_CASE(a_record_of_pipe_buf_bytes_is_never_torn) {
    check_law([](const posix_calls& c, transcript& t) {
        auto pipe = pipe_ends();
        ::fcntl(pipe.b.get(), F_SETPIPE_SZ, 4096 * 2);
        std::string received;
        {
            const later reader([&] { received = read_to_end(pipe.a.get()); });
            std::thread other([&] {
                const std::string record(PIPE_BUF, 'o');
                for (int i = 0; i < 200; ++i) {
                    must(::write(pipe.b.get(), record.data(), record.size()) == PIPE_BUF);
                }
            });
            std::string record(PIPE_BUF, 'r');
            std::vector<iovec> parts;  // more than one continuation takes
            for (std::size_t i = 0; i < PIPE_BUF / 16; ++i) {
                parts.push_back({record.data() + i * 16, 16});
            }
            ssize_t sum = 0;
            for (int i = 0; i < 200; ++i) {
                sum += c.writev(pipe.b.get(), parts.data(), static_cast<int>(parts.size()));
            }
            other.join();
            t.add(std::to_string(sum));
            pipe.b.reset();
        }
        bool whole = received.size() == std::size_t{400} * PIPE_BUF;
        for (std::size_t at = 0; at < received.size(); at += PIPE_BUF) {
            whole = whole && received.find_first_not_of(received[at], at) >= at + PIPE_BUF;
        }
        t.add(whole ? "whole records" : "torn records");
    });
}

BOOST_AUTO_TEST_CASE(a_nonblocking_pipe_takes_what_fits) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        set_nonblocking(pipe.b.get());
        const std::string text = pattern(1'000'000);
        t.call("write", [&] { return c.write(pipe.b.get(), text.data(), text.size()); });
        t.call("write", [&] { return c.write(pipe.b.get(), text.data(), 1); });
        t.call("write", [&] { return c.write(pipe.b.get(), text.data(), 0); });
    });
}

BOOST_AUTO_TEST_CASE(a_pipe_that_nobody_reads_is_an_error_and_a_signal) {
    check_law([](const posix_calls& c, transcript& t) {
        const without_sigpipe guard;
        auto pipe = pipe_ends();
        const std::string text = pattern(100'000);
        {
            const later peer([&] { pipe.a.reset(); });
            t.call("write", [&] { return c.write(pipe.b.get(), text.data(), text.size()); });
        }
        t.add("  signals: " + std::to_string(without_sigpipe::raised));
        t.call("write", [&] { return c.write(pipe.b.get(), text.data(), text.size()); });
        t.add("  signals: " + std::to_string(without_sigpipe::raised));
    });
}

BOOST_AUTO_TEST_CASE(files_and_devices_are_written) {
    check_law([](const posix_calls& c, transcript& t) {
        const unique_fd file = coir::test::temporary_file();
        const std::string text = pattern(300'000);
        t.call("write", [&] { return c.write(file.get(), text.data(), text.size()); });
        ::lseek(file.get(), 0, SEEK_SET);
        t.add(read_to_end(file.get()) == text ? "  all of it" : "  something else");
        const unique_fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
        t.call("write null", [&] { return c.write(null.get(), text.data(), text.size()); });
        const unique_fd full(::open("/dev/full", O_RDWR | O_CLOEXEC));
        t.call("write full", [&] { return c.write(full.get(), text.data(), text.size()); });
    });
}

// An eventfd says it is writable if 1 could be added; a larger number may still have to wait.
BOOST_AUTO_TEST_CASE(an_eventfd_waits_for_room) {
    check_law([](const posix_calls& c, transcript& t) {
        const unique_fd event(::eventfd(0, EFD_CLOEXEC));
        const std::uint64_t most = UINT64_MAX - 2;
        const std::uint64_t five = 5;
        t.call("write", [&] { return c.write(event.get(), &most, sizeof most); });
        t.call("write too little", [&] { return c.write(event.get(), &five, 4); });
        const later peer([&] {
            std::uint64_t value = 0;
            must(::read(event.get(), &value, sizeof value) == 8);
        });
        t.call("write", [&] { return c.write(event.get(), &five, sizeof five); });
        t.add(is_nonblocking(event.get()) ? "  changed" : "  as it was");
    });
}

BOOST_AUTO_TEST_CASE(a_terminal_is_written) {
    check_law([](const posix_calls& c, transcript& t) {
        int master_fd = -1;
        int slave_fd = -1;
        must(::openpty(&master_fd, &slave_fd, nullptr, nullptr, nullptr) == 0);
        const unique_fd master(master_fd);
        const unique_fd slave(slave_fd);
        termios settings{};
        ::tcgetattr(slave.get(), &settings);
        ::cfmakeraw(&settings);
        ::tcsetattr(slave.get(), TCSANOW, &settings);
        const std::string text = pattern(100'000);
        std::string received;
        {
            const later peer([&] {
                char buffer[4096];
                while (received.size() < text.size()) {
                    const ssize_t got = ::read(master.get(), buffer, sizeof buffer);
                    if (got <= 0) {
                        break;
                    }
                    received.append(buffer, static_cast<std::size_t>(got));
                }
            });
            t.call("write", [&] { return c.write(slave.get(), text.data(), text.size()); });
        }
        t.add(received == text ? "  all of it" : "  something else");
    });
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_libc_says_it) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        const iovec part{nullptr, 8};
        t.call("write to -1", [&] { return c.write(-1, "x", 1); });
        t.call("write the end to read", [&] { return c.write(pipe.a.get(), "x", 1); });
        t.call("writev -1", [&] { return c.writev(pipe.b.get(), &part, -1); });
        t.call("writev none", [&] { return c.writev(pipe.b.get(), &part, 0); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
