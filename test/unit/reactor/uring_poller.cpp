// SPDX-License-Identifier: BSL-1.0
#include "base/own_descriptor.hpp"
#include "base/unique_fd.hpp"
#include "reactor/poller.hpp"
#include "support/captured_log.hpp"
#include "support/descriptors.hpp"
#include "support/io_uring.hpp"
#include "support/system_calls.hpp"
#include "support/temporary.hpp"
#include "support/watched_thread.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using coir::deadline;
using coir::reactor_kind;
using coir::detail::make_poller;
using coir::detail::make_uring_poller;
using coir::detail::own_descriptor;
using coir::detail::poller;
using coir::detail::poller_event;
using coir::detail::system_calls;
using coir::detail::unique_fd;
using coir::test::captured_log;
using coir::test::failing_with;
using coir::test::pipe_ends;
using coir::test::put;
using coir::test::put_from_thread;
using coir::test::replace_system_call;
using coir::test::socket_pair;
using coir::test::watched_thread;
using namespace std::chrono_literals;

namespace {

using on_setup = replace_system_call<&system_calls::io_uring_setup>;
using on_enter = replace_system_call<&system_calls::io_uring_enter>;

std::vector<poller_event> take(poller& p, deadline until = deadline::immediately()) {
    std::array<poller_event, 256> events;
    const std::size_t count = p.wait(until, events.data(), events.size());
    return {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count)};
}

// Whether the peer has let go of a socket.
bool ended(const unique_fd& socket) {
    char byte = 0;
    return ::recv(socket.get(), &byte, 1, MSG_DONTWAIT) == 0;
}

// What make_poller() makes if the test's environment names no backend.
std::string chosen(reactor_kind kind) {
    const char* const before = std::getenv("COIR_REACTOR");
    const std::string kept = before != nullptr ? before : "";
    ::unsetenv("COIR_REACTOR");
    const std::string name = make_poller(kind)->name();
    if (before != nullptr) {
        ::setenv("COIR_REACTOR", kept.c_str(), 1);
    }
    return name;
}

// Counts calls for as long as it lives.
class counted_enters {
public:
    int calls = 0;

private:
    const on_enter guard_{[this](auto... arguments) {
        ++calls;
        return on_enter::original(arguments...);
    }};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(uring_backend, *boost::unit_test::precondition(coir::test::has_io_uring))

BOOST_AUTO_TEST_CASE(standing_interest_reports_when_readiness_comes_and_not_while_it_lasts) {
    const auto p = make_uring_poller();
    const socket_pair pair;
    BOOST_TEST(p->set_standing({pair.near.get(), 1}) == 0);
    BOOST_TEST(take(*p).size() == 1U);  // writable
    BOOST_TEST(take(*p).empty());
    for (int i = 0; i < 3; ++i) {
        put(pair.far);
        const auto events = take(*p);
        BOOST_TEST_REQUIRE(events.size() == 1U);
        BOOST_TEST(events[0].readable);
        BOOST_TEST(!events[0].ended);
        BOOST_TEST(take(*p).empty());
    }
}

BOOST_AUTO_TEST_CASE(a_half_close_is_the_end_of_input_and_a_close_is_a_failure) {
    const auto p = make_uring_poller();
    socket_pair pair;
    BOOST_TEST(p->set_standing({pair.near.get(), 1}) == 0);
    take(*p);
    ::shutdown(pair.far.get(), SHUT_WR);
    const auto half = take(*p);
    BOOST_TEST_REQUIRE(half.size() == 1U);
    BOOST_TEST(half[0].ended);
    BOOST_TEST(!half[0].failed);
    pair.far.reset();
    const auto whole = take(*p);
    BOOST_TEST_REQUIRE(whole.size() == 1U);
    BOOST_TEST(whole[0].failed);
    BOOST_TEST(take(*p).empty());
}

BOOST_AUTO_TEST_CASE(standing_interest_can_be_taken_back) {
    const auto p = make_uring_poller();
    const socket_pair pair;
    BOOST_TEST(p->set_standing({pair.near.get(), 1}) == 0);
    take(*p);
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {}) == 0);
    put(pair.far);
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(p->set_standing({pair.near.get(), 1}) == 0);
    BOOST_TEST(take(*p).size() == 1U);
}

// To be interested costs no call of its own, and who looks in vain makes none.
BOOST_AUTO_TEST_CASE(many_are_asked_for_and_reported_in_one_call) {
    const auto p = make_uring_poller();
    std::deque<pipe_ends> pipes(100);
    counted_enters counted;
    for (const pipe_ends& pipe : pipes) {
        BOOST_TEST(p->set_one_shot({pipe.read.get(), 1}, {true, false}) == 0);
        put(pipe.write);
    }
    BOOST_TEST(counted.calls == 0);
    BOOST_TEST(take(*p).size() == 100U);
    BOOST_TEST(counted.calls == 1);
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(counted.calls == 1);
}

BOOST_AUTO_TEST_CASE(more_requests_than_the_ring_has_places_for_are_sent_in_between) {
    const auto p = make_uring_poller();
    const socket_pair pair;
    std::vector<unique_fd> copies;
    std::set<int> seen;
    for (int i = 0; i < 700; ++i) {
        copies.emplace_back(::dup(pair.near.get()));
        BOOST_TEST_REQUIRE(copies.back().get() >= 0);
        BOOST_TEST_REQUIRE(p->set_one_shot({copies.back().get(), 1}, {false, true}) == 0);
    }
    for (int round = 0; round < 5; ++round) {
        for (const poller_event& event : take(*p)) {
            BOOST_TEST(seen.insert(event.key.descriptor).second);
        }
    }
    BOOST_TEST(seen.size() == copies.size());
}

// Goal: what the ring of completions has no room for is not lost, and what the kernel takes back
// because of it is asked for again. Method: by an interest that stands, one descriptor is told of
// what comes, 6,000 times, while nobody takes anything.
BOOST_AUTO_TEST_CASE(more_completions_than_the_ring_has_room_for_are_not_lost) {
    const auto p = make_uring_poller();
    constexpr int many = 6000;  // the ring has room for 4096
    const socket_pair pair;
    const pipe_ends last;
    BOOST_TEST(p->set_standing({pair.near.get(), 1}) == 0);
    for (int i = 0; i < many; ++i) {
        put(pair.far);
        p->submit();
        char byte = 0;
        BOOST_TEST_REQUIRE(::recv(pair.near.get(), &byte, 1, 0) == 1);
    }
    put(pair.far);
    BOOST_TEST(p->set_one_shot({last.read.get(), 7}, {true, false}) == 0);
    put(last.write);
    bool told_of_last = false;
    const auto take_all = [&] {
        bool told = false;
        for (auto events = take(*p); !events.empty(); events = take(*p)) {
            for (const poller_event& event : events) {
                told |= event.key.descriptor == pair.near.get();
                told_of_last |= event.key.descriptor == last.read.get();
            }
        }
        return told;
    };
    BOOST_TEST(take_all());
    BOOST_TEST(told_of_last);
    for (int i = 0; i < 3; ++i) {
        put(pair.far);
        BOOST_TEST(take_all());
    }
}

// Else a peer would hear of the end only when the carrier next waits.
BOOST_AUTO_TEST_CASE(a_file_is_let_go_of_before_it_is_closed) {
    const auto p = make_uring_poller();
    for (const bool standing : {true, false}) {
        socket_pair pair;
        BOOST_TEST((standing ? p->set_standing({pair.near.get(), 1})
                             : p->set_one_shot({pair.near.get(), 1}, {true, false})) == 0);
        take(*p);
        p->forget(pair.near.get());
        pair.near.reset();
        BOOST_TEST(ended(pair.far));
        BOOST_TEST(take(*p).empty());
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_about_to_report_is_let_go_of_too) {
    const auto p = make_uring_poller();
    for (const bool standing : {true, false}) {
        socket_pair pair;
        BOOST_TEST((standing ? p->set_standing({pair.near.get(), 1})
                             : p->set_one_shot({pair.near.get(), 1}, {true, false})) == 0);
        take(*p);
        put(pair.far);
        p->forget(pair.near.get());
        pair.near.reset();
        char byte = 0;
        BOOST_TEST(::recv(pair.far.get(), &byte, 1, MSG_DONTWAIT) == -1);
        BOOST_TEST(errno == ECONNRESET);  // what it had sent was never read
        BOOST_TEST(take(*p).empty());
    }
}

BOOST_AUTO_TEST_CASE(interest_that_is_taken_back_lets_go_of_the_file) {
    const auto p = make_uring_poller();
    socket_pair pair;
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {true, false}) == 0);
    take(*p);
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {}) == 0);
    pair.near.reset();
    BOOST_TEST(ended(pair.far));
}

BOOST_AUTO_TEST_CASE(its_end_lets_go_of_all_files) {
    auto p = make_uring_poller();
    socket_pair pair;
    socket_pair other;
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {true, false}) == 0);
    BOOST_TEST(p->set_standing({other.near.get(), 1}) == 0);
    take(*p);
    pair.near.reset();
    other.near.reset();
    BOOST_TEST(!ended(pair.far));
    p.reset();
    BOOST_TEST(ended(pair.far));
    BOOST_TEST(ended(other.far));
}

// What tells a reactor that a number has got another file. It can as long as the kernel watches.
BOOST_AUTO_TEST_CASE(interest_under_way_is_renewed_only_while_the_number_has_the_same_file) {
    const auto p = make_uring_poller();
    for (const bool standing : {true, false}) {
        socket_pair pair;
        const int number = pair.near.get();
        const auto renew = [&] {
            return standing ? p->renew_standing({number, 1})
                            : p->renew_one_shot({number, 1}, {true, false});
        };
        BOOST_TEST((standing ? p->set_standing({number, 1})
                             : p->set_one_shot({number, 1}, {true, false})) == 0);
        take(*p);
        errno = 0;
        BOOST_TEST(renew());
        take(*p);
        put(pair.far);
        BOOST_TEST(take(*p).size() == 1U);
        BOOST_TEST(renew());
        BOOST_TEST(take(*p).size() == 1U);  // it is readable still
        char byte = 0;
        BOOST_TEST(::recv(number, &byte, 1, 0) == 1);
        BOOST_TEST(renew());
        take(*p);
        const unique_fd same_file(::dup(number));
        pair.near.reset();
        BOOST_TEST(!renew());
        BOOST_TEST((standing ? p->set_standing({number, 1})
                             : p->set_one_shot({number, 1}, {true, false})) == 0);
        p->forget(number);
        socket_pair other;
        BOOST_TEST_REQUIRE(other.near.get() == number);
        BOOST_TEST((standing ? p->set_standing({number, 2})
                             : p->set_one_shot({number, 2}, {true, false})) == 0);
        take(*p);
        other.near = unique_fd(::dup(other.far.get()));
        BOOST_TEST(errno == 0);
        p->forget(number);
    }
}

// An end of input is told to who has not asked, and lasts.
BOOST_AUTO_TEST_CASE(who_wants_to_write_is_not_told_of_the_end_of_input_over_and_over) {
    const auto p = make_uring_poller();
    const socket_pair pair;
    while (::send(pair.near.get(), "much", 4, MSG_DONTWAIT) > 0) {
    }
    ::shutdown(pair.far.get(), SHUT_WR);
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {false, true}) == 0);
    BOOST_TEST(take(*p).empty());
    counted_enters counted;
    BOOST_TEST(take(*p, deadline::after(5ms)).empty());
    BOOST_TEST(take(*p, deadline::after(5ms)).empty());
    BOOST_TEST(counted.calls <= 4);
    std::array<char, 4096> buffer;
    while (::recv(pair.far.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
    }
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].writable);
    BOOST_TEST(take(*p).empty());
    BOOST_TEST(p->set_one_shot({pair.near.get(), 1}, {false, true}) == 0);
    BOOST_TEST(take(*p).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_not_open_is_reported_as_invalid_once) {
    const auto p = make_uring_poller();
    const int number = pipe_ends().read.get();
    BOOST_TEST(p->set_one_shot({number, 3}, {true, false}) == 0);
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].invalid);
    BOOST_TEST(events[0].key.descriptor == number);
    BOOST_TEST(take(*p).empty());
}

BOOST_AUTO_TEST_CASE(a_regular_file_is_ready) {
    const auto p = make_uring_poller();
    const unique_fd file = coir::test::temporary_file();
    BOOST_TEST(p->set_one_shot({file.get(), 1}, {true, false}) == 0);
    const auto events = take(*p);
    BOOST_TEST_REQUIRE(events.size() == 1U);
    BOOST_TEST(events[0].readable);
}

BOOST_AUTO_TEST_CASE(an_interrupted_wait_returns_early_with_nothing) {
    const auto p = make_uring_poller();
    const on_enter guard(failing_with(EINTR));
    errno = 0;
    BOOST_TEST(take(*p, deadline::never()).empty());
    BOOST_TEST(errno == 0);
}

BOOST_AUTO_TEST_CASE(its_descriptor_is_readable_when_there_is_something_to_take) {
    const auto p = make_uring_poller();
    const pipe_ends pipe;
    const auto readable = [&] {
        pollfd polled{p->descriptor(), POLLIN, 0};
        return ::poll(&polled, 1, 0) == 1;
    };
    BOOST_TEST(!readable());
    p->wake();
    BOOST_TEST(readable());
    take(*p);
    BOOST_TEST(!readable());
    BOOST_TEST(p->set_one_shot({pipe.read.get(), 1}, {true, false}) == 0);
    p->submit();
    BOOST_TEST(!readable());
    put(pipe.write);
    BOOST_TEST(readable());
    BOOST_TEST(take(*p).size() == 1U);
    BOOST_TEST(!readable());
}

// In the kernel's best mode for one who waits in io_uring_enter(2) it would not be.
BOOST_AUTO_TEST_CASE(another_loop_that_blocks_on_its_descriptor_is_woken) {
    const auto p = make_uring_poller(coir::detail::watched_by::another_loop);
    const pipe_ends pipe;
    const watched_thread here;
    BOOST_TEST(p->set_one_shot({pipe.read.get(), 1}, {true, false}) == 0);
    p->submit();
    for (const bool by_wake_up : {true, false}) {
        std::thread other([&] {
            here.await_asleep();
            by_wake_up ? p->wake() : put_from_thread(pipe.write);
        });
        pollfd polled{p->descriptor(), POLLIN, 0};
        const auto start = std::chrono::steady_clock::now();
        BOOST_TEST(::poll(&polled, 1, 20000) == 1);
        BOOST_TEST((std::chrono::steady_clock::now() - start < 10s));
        other.join();
        BOOST_TEST(take(*p).size() == (by_wake_up ? 0U : 1U));
    }
}

BOOST_AUTO_TEST_CASE(its_descriptor_is_one_of_our_own_and_no_childs) {
    const auto p = make_uring_poller();
    BOOST_TEST(own_descriptor::has(p->descriptor()));
    BOOST_TEST((::fcntl(p->descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

BOOST_AUTO_TEST_CASE(a_child_of_a_fork_destroys_its_copy_and_leaves_the_rings_alone) {
    auto p = make_uring_poller();
    const pipe_ends pipe;
    BOOST_TEST(p->set_one_shot({pipe.read.get(), 1}, {true, false}) == 0);
    take(*p);
    const pid_t child = ::fork();
    if (child == 0) {
        p.reset();
        ::_exit(0);
    }
    int status = -1;
    BOOST_TEST(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
    put(pipe.write);
    BOOST_TEST(take(*p).size() == 1U);
}

// --- Where it cannot be used -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_kernel_without_the_newest_flags_is_asked_for_less) {
    constexpr unsigned newest = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN;
    std::vector<unsigned> asked;
    const on_setup guard([&](unsigned entries, io_uring_params* params) {
        asked.push_back(params->flags & newest);
        if (asked.back() != 0) {
            errno = EINVAL;
            return -1;
        }
        return on_setup::original(entries, params);
    });
    const auto p = make_uring_poller();
    BOOST_TEST(asked.size() > 1U);
    const pipe_ends pipe;
    BOOST_TEST(p->set_one_shot({pipe.read.get(), 1}, {true, false}) == 0);
    BOOST_TEST(take(*p).empty());
    put(pipe.write);
    BOOST_TEST(take(*p, deadline::after(10s)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(where_the_kernel_refuses_it_epoll_is_used_and_the_log_says_why_once) {
    for (const int error : {ENOSYS, EPERM, ENOMEM}) {
        const on_setup guard(failing_with(error));
        const captured_log log;
        BOOST_TEST(chosen(reactor_kind::io_uring) == "epoll");
        BOOST_TEST(log.messages() == 1U);
        BOOST_TEST(log.has("io_uring cannot be used"));
        BOOST_TEST(log.has(std::generic_category().message(error)));
        BOOST_TEST(log.has("io_uring_disabled") == (error == EPERM));
        BOOST_TEST(chosen(reactor_kind::io_uring) == "epoll");
        BOOST_TEST(log.messages() == 1U);
    }
    const captured_log log;
    BOOST_TEST(chosen(reactor_kind::io_uring) == "io_uring");
    BOOST_TEST(log.messages() == 0U);
}

BOOST_AUTO_TEST_CASE(a_kernel_that_lacks_what_is_needed_refuses_it) {
    const on_setup guard([&](unsigned entries, io_uring_params* params) {
        const int fd = on_setup::original(entries, params);
        params->features &= ~unsigned{IORING_FEAT_EXT_ARG};
        return fd;
    });
    const captured_log log;
    BOOST_TEST(chosen(reactor_kind::io_uring) == "epoll");
    BOOST_TEST(log.has("Linux 5.11"));
}

BOOST_AUTO_TEST_CASE(no_descriptors_left_is_an_error_that_names_the_limit) {
    const on_setup guard(failing_with(EMFILE));
    BOOST_CHECK_EXCEPTION(chosen(reactor_kind::io_uring), std::system_error,
                          [](const std::system_error& e) {
                              return e.code() == std::errc::too_many_files_open &&
                                     std::string(e.what()).find("ulimit -n") != std::string::npos;
                          });
}

BOOST_AUTO_TEST_SUITE_END()
