// SPDX-License-Identifier: BSL-1.0
// A child process has one thread, and of the fibers the one that has forked. Were another one to
// run in it, there would be two of that one, with one connection.
#include "base/sanitizers.hpp"
#include "hook/overlap.hpp"
#include "integration/posix/law.hpp"
#include "support/child_process.hpp"

#include <coir/hook/hook.hpp>

#include <sys/mman.h>
#include <boost/test/unit_test.hpp>

#ifdef COIR_ADDRESS_SANITIZER
#include <sanitizer/lsan_interface.h>
#endif

using namespace coir::test;
using namespace std::chrono_literals;

namespace {

// LeakSanitizer looks for pointers on the stack that a process ends on. Where that is a fiber's,
// what the frames of coir::run hold passes for lost.
struct without_leak_check {
#ifdef COIR_ADDRESS_SANITIZER
    __lsan::ScopedDisabler disabled;
#else
    without_leak_check() noexcept {}  // or who makes one would not use it
#endif
};

// How a child has ended: its exit status; 1000 and more for a signal, 2000 if it had to be killed.
int end_of(pid_t child) {
    if (child == 0) {
        ::_exit(99);  // this is a child, where it should not be
    }
    for (int i = 0; i < 500; ++i) {
        int status = 0;
        if (::waitpid(child, &status, WNOHANG) == child) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        }
        ::usleep(10'000);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return 2000;
}

// Runs for as long as it lives, in its own process.
class ticking {
public:
    ticking()
        : fiber_([this] {
              while (!over_) {
                  coir::this_fiber::sleep_for(1ms);
                  ++ticks_;
              }
          }) {}
    ~ticking() { over_ = true; }
    int ticks() const { return ticks_; }

private:
    bool over_ = false;
    int ticks_ = 0;
    coir::fiber fiber_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(hooked_fork)

// Hazard: the calls of a child park its fiber, and the others run in the child.
BOOST_AUTO_TEST_CASE(in_a_child_no_other_fiber_runs) {
    coir::run([] {
        ticking other;
        auto pipe = pipe_ends();
        coir::this_fiber::sleep_for(5ms);
        const pid_t child = child_process([&] {
            if (coir::hook::active()) {
                return 100;
            }
            const int before = other.ticks();
            char letter = 0;
            ::usleep(20'000);
            pollfd nothing{pipe.a.get(), POLLIN, 0};
            ::poll(&nothing, 1, 20);
            if (::read(pipe.a.get(), &letter, 1) != 1 || letter != 'x') {
                return 101;
            }
            return std::min(other.ticks() - before, 99);
        });
        ::usleep(60'000);
        BOOST_TEST(::write(pipe.b.get(), "x", 1) == 1);
        BOOST_TEST(end_of(child) == 0);
        BOOST_TEST(other.ticks() > 5);
    });
}

// Hazard: the child takes events of the poller that it shares with its parent, or its closing of a
// descriptor is taken for the parent's.
BOOST_AUTO_TEST_CASE(the_parents_fibers_notice_nothing_of_a_child) {
    coir::run([] {
        constexpr int waiters = 20;
        std::vector<descriptor_pair> pairs;
        std::vector<coir::fiber> fibers;
        int received = 0;
        for (int i = 0; i < waiters; ++i) {
            pairs.push_back(connected_sockets(socket_kind::unix_stream));
        }
        for (int i = 0; i < waiters; ++i) {
            fibers.emplace_back([&, i] {
                char letter = 0;
                received += ::read(pairs[std::size_t(i)].a.get(), &letter, 1) == 1 ? 1 : 0;
            });
        }
        coir::this_fiber::sleep_for(5ms);
        const pid_t child = child_process([&] {
            for (int i = 0; i < waiters; ++i) {
                pollfd one{pairs[std::size_t(i)].b.get(), POLLIN, 0};
                ::poll(&one, 1, 5);
                ::close(pairs[std::size_t(i)].a.get());
            }
            return 3;
        });
        for (int i = 0; i < waiters; ++i) {
            ::usleep(5'000);
            BOOST_TEST(::write(pairs[std::size_t(i)].b.get(), "x", 1) == 1);
        }
        for (coir::fiber& one : fibers) {
            one.join();
        }
        BOOST_TEST(received == waiters);
        BOOST_TEST(end_of(child) == 3);
    });
}

BOOST_AUTO_TEST_CASE(descriptors_are_inherited_as_they_are) {
    coir::run([] {
        const auto pair = connected_sockets(socket_kind::tcp);
        const auto pipe = pipe_ends();
        coir::fiber reader([&] {
            char letter = 0;
            BOOST_TEST(::read(pair.a.get(), &letter, 1) == 1);
            BOOST_TEST(::read(pipe.a.get(), &letter, 1) == 1);
        });
        coir::this_fiber::sleep_for(5ms);
        const pid_t child = child_process([&] {
            int nonblocking = 0;
            for (const int fd : {pair.a.get(), pair.b.get(), pipe.a.get(), pipe.b.get()}) {
                nonblocking += is_nonblocking(fd) ? 1 : 0;
            }
            return nonblocking;
        });
        BOOST_TEST(end_of(child) == 0);
        BOOST_TEST(::write(pair.b.get(), "x", 1) == 1);
        BOOST_TEST(::write(pipe.b.get(), "x", 1) == 1);
        reader.join();
    });
}

BOOST_AUTO_TEST_CASE(a_child_may_become_another_program) {
    check_overlap([](int) {
        const auto pipe = pipe_ends();
        const pid_t child = child_process([&] {
            ::dup2(pipe.a.get(), STDIN_FILENO);
            ::execl("/bin/sh", "sh", "-c", "sleep 0.1; read line; test \"$line\" = hello",
                    static_cast<char*>(nullptr));
            return 127;
        });
        ::usleep(50'000);
        BOOST_TEST(::write(pipe.b.get(), "hello\n", 6) == 6);
        BOOST_TEST(end_of(child) == 0);
    });
}

// As when the last thread of a process ends.
BOOST_AUTO_TEST_CASE(a_child_that_comes_to_its_fibers_end_exits) {
    const without_leak_check ends_on_a_fibers_stack;
    coir::run([] {
        ticking other;
        pid_t child = 0;
        std::fflush(nullptr);  // or the child writes it, too
        coir::fiber forks([&] { child = ::fork(); });
        forks.join();
        BOOST_TEST(end_of(child) == 0);
    });
}

// A server of the old kind: each child has fibers of its own.
BOOST_AUTO_TEST_CASE(a_child_may_run_fibers_of_its_own) {
    coir::run([] {
        ticking other;
        const pid_t child = child_process([] {
            int woken = 0;
            coir::run([&] {
                std::vector<coir::fiber> fibers;
                for (int i = 0; i < 10; ++i) {
                    fibers.emplace_back(
                        [&] { woken += coir::hook::active() && ::usleep(20'000) == 0 ? 1 : 0; });
                }
                for (coir::fiber& one : fibers) {
                    one.join();
                }
            });
            return woken;
        });
        BOOST_TEST(end_of(child) == 10);
    });
}

// Hazard: the memory of a child of vfork is its parent's, waiters and all.
BOOST_AUTO_TEST_CASE(a_child_that_shares_its_parents_memory_touches_no_waiter) {
    coir::run([] {
        ticking other;
        auto pipe = pipe_ends();
        bool woken = false;
        coir::fiber reader([&] {
            char letter = 0;
            BOOST_TEST(::read(pipe.a.get(), &letter, 1) == 1);
            woken = true;
        });
        const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        coir::this_fiber::sleep_for(5ms);
        const int before = other.ticks();
        const pid_t child = ::vfork();
        if (child == 0) {
            ::close(pipe.a.get());
            for (int i = 0; i < 1'000; ++i) {  // many calls that need not wait
                static_cast<void>(!::write(null, "x", 1));
            }
            const timespec time{0, 5'000'000};
            ::nanosleep(&time, nullptr);
            ::_exit(other.ticks() == before && !coir::hook::active() ? 0 : 1);
        }
        BOOST_TEST(end_of(child) == 0);
        BOOST_TEST(coir::hook::active());
        BOOST_TEST(!woken);
        BOOST_TEST(::write(pipe.b.get(), "x", 1) == 1);
        reader.join();
        BOOST_TEST(woken);
        ::close(null);
    });
}

BOOST_AUTO_TEST_SUITE_END()
