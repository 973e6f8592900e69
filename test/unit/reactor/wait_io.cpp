// SPDX-License-Identifier: BSL-1.0
// Waiting for real descriptors: in fibers on the backend under test, and on plain threads.
#include "reactor/wait_io.hpp"

#include "base/unique_fd.hpp"
#include "core/scheduler.hpp"
#include "reactor/poller.hpp"
#include "reactor/reactor.hpp"
#include "support/descriptors.hpp"
#include "support/system_calls.hpp"
#include "support/temporary.hpp"
#include "support/watched_thread.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using coir::deadline;
using coir::fiber;
using coir::wait_status;
using coir::detail::descriptor_kind;
using coir::detail::direction;
using coir::detail::io_interest;
using coir::detail::io_result;
using coir::detail::system_calls;
using coir::detail::unique_fd;
using coir::detail::wait_io;
using coir::test::failing_with;
using coir::test::put;
using coir::test::put_from_thread;
using coir::test::replace_system_call;
using coir::test::socket_pair;
using coir::test::watched_thread;
using namespace std::chrono_literals;

namespace {

struct real_world {
    template <class F>
    void run(F body) {
        coir::detail::reactor events(coir::detail::make_poller(coir::reactor_kind::automatic));
        const coir::detail::reactor::on_this_thread current_reactor(events);
        coir::detail::scheduler fibers({}, events);
        fibers.run_main(body);
        BOOST_TEST(events.waits() == 0U);
    }
};

void close_ours(unique_fd& fd) {
    coir::detail::io_forget(fd.get());
    fd.reset();
}

io_interest reading(const unique_fd& fd, descriptor_kind kind = descriptor_kind::owned) {
    return {fd.get(), direction::read, kind};
}

// Makes writing wait.
void fill(const unique_fd& to) {
    const std::vector<char> much(1 << 16);
    while (::write(to.get(), much.data(), much.size()) > 0) {
    }
}

void empty(const unique_fd& from) {
    std::vector<char> much(1 << 16);
    while (::read(from.get(), much.data(), much.size()) > 0) {
    }
}

const descriptor_kind both_kinds[] = {descriptor_kind::owned, descriptor_kind::foreign};

}  // namespace

BOOST_AUTO_TEST_SUITE(wait_io_in_fibers)

BOOST_AUTO_TEST_CASE(a_reader_is_woken_by_data) {
    for (const auto kind : both_kinds) {
        real_world().run([&] {
            socket_pair pair;
            fiber writer([&] { put(pair.far); });
            BOOST_TEST(wait_io(reading(pair.near, kind), deadline::never()).ready());
            writer.join();
            close_ours(pair.near);
        });
    }
}

BOOST_AUTO_TEST_CASE(several_readers_and_writers_of_one_descriptor_are_all_woken) {
    for (const auto kind : both_kinds) {
        real_world().run([&] {
            socket_pair pair;
            int readers_woken = 0;
            int writers_woken = 0;
            std::deque<fiber> readers;
            std::deque<fiber> writers;
            for (int i = 0; i < 3; ++i) {
                readers.emplace_back([&] {
                    readers_woken += wait_io(reading(pair.near, kind), deadline::never()).ready();
                });
                writers.emplace_back([&] {
                    writers_woken +=
                        wait_io({pair.near.get(), direction::write, kind}, deadline::never())
                            .ready();
                });
            }
            for (fiber& f : writers) {
                f.join();
            }
            BOOST_TEST(writers_woken == 3);
            BOOST_TEST(readers_woken == 0);
            put(pair.far);
            for (fiber& f : readers) {
                f.join();
            }
            BOOST_TEST(readers_woken == 3);
            close_ours(pair.near);
        });
    }
}

BOOST_AUTO_TEST_CASE(a_descriptor_closed_under_its_waiters_wakes_them_with_ebadf) {
    for (const auto kind : both_kinds) {
        real_world().run([&] {
            socket_pair pair;
            int errors = 0;
            std::deque<fiber> fibers;
            for (int i = 0; i < 2; ++i) {
                fibers.emplace_back([&] {
                    errors += wait_io(reading(pair.near, kind), deadline::never()).error == EBADF;
                });
            }
            coir::this_fiber::yield();
            close_ours(pair.near);
            for (fiber& f : fibers) {
                f.join();
            }
            BOOST_TEST(errors == 2);
        });
    }
}

BOOST_AUTO_TEST_CASE(a_number_that_is_given_out_again_works_at_once) {
    for (const auto kind : both_kinds) {
        real_world().run([&] {
            for (int i = 0; i < 5; ++i) {
                socket_pair pair;
                fiber writer([&] { put(pair.far); });
                BOOST_TEST(wait_io(reading(pair.near, kind), deadline::after(10s)).ready());
                writer.join();
                if (kind == descriptor_kind::owned) {
                    close_ours(pair.near);
                }  // a foreign one is closed behind our back
            }
        });
    }
}

// The program has closed a descriptor that somebody waits for, by a call that is not ours. Whoever
// waits for the next file of the number must not stay with him. As doc/decisions/0007 says, epoll
// tells then that his file is another one; with poll he stays with the number, and so he does with
// io_uring, which has not been told of him yet.
BOOST_AUTO_TEST_CASE(a_second_waiter_of_a_foreign_number_is_woken_by_the_file_that_has_it_now) {
    for (const auto d : {direction::read, direction::write}) {
        real_world().run([&] {
            std::optional<socket_pair> pair(std::in_place);
            const int number = pair->near.get();
            fill(pair->near);
            io_result earlier{};
            fiber first([&] {
                earlier = wait_io({number, d, descriptor_kind::foreign}, deadline::never());
            });
            coir::this_fiber::yield();
            pair.reset();
            pair.emplace();
            BOOST_TEST_REQUIRE(pair->near.get() == number);
            fill(pair->near);
            bool second_woken = false;
            fiber second([&] {
                second_woken =
                    wait_io({number, d, descriptor_kind::foreign}, deadline::after(10s)).ready();
            });
            coir::this_fiber::yield();
            BOOST_TEST(!second_woken);
            d == direction::read ? put(pair->far) : empty(pair->far);
            second.join();
            BOOST_TEST(second_woken);
            first.join();
            const bool watches_files =
                coir::detail::reactor::current()->backend_name() == std::string("epoll");
            BOOST_TEST(earlier.error == (watches_files ? EBADF : 0));
        });
    }
}

BOOST_AUTO_TEST_CASE(a_number_that_another_thread_closed_and_that_is_given_out_again_works) {
    for (const auto kind : both_kinds) {
        real_world().run([&] {
            std::optional<socket_pair> pair(std::in_place);
            const int number = pair->near.get();
            wait_io(reading(pair->near), deadline::after(1us));  // it is registered
            std::thread([&] {
                close_ours(pair->near);
                pair.reset();
            }).join();
            pair.emplace();
            BOOST_TEST_REQUIRE(pair->near.get() == number);
            fiber writer([&] { put(pair->far); });
            BOOST_TEST(wait_io(reading(pair->near, kind), deadline::after(10s)).ready());
            writer.join();
            close_ours(pair->near);
        });
    }
}

BOOST_AUTO_TEST_CASE(a_deadline_and_a_cancellation_end_a_wait) {
    for (const auto kind : both_kinds) {
        real_world().run([&] {
            socket_pair pair;
            const auto until = std::chrono::steady_clock::now() + 2ms;
            const io_result late = wait_io(reading(pair.near, kind), until);
            BOOST_TEST((late.status == wait_status::timed_out));
            BOOST_TEST((std::chrono::steady_clock::now() >= until));
            BOOST_TEST(!coir::try_for(1ms, [&] {
                const io_result r = wait_io(reading(pair.near, kind), deadline::never());
                BOOST_TEST((r.status == wait_status::cancelled));
                coir::this_fiber::check_cancelled();
            }));
            // And then it still works.
            put(pair.far);
            BOOST_TEST(wait_io(reading(pair.near, descriptor_kind::foreign), deadline::after(10s))
                           .ready());
            close_ours(pair.near);
        });
    }
}

BOOST_AUTO_TEST_CASE(a_hang_up_wakes_once_and_does_not_spin) {
    for (const auto kind : both_kinds) {
        real_world().run([&] {
            socket_pair pair;
            fiber reader(
                [&] { BOOST_TEST(wait_io(reading(pair.near, kind), deadline::never()).ready()); });
            coir::this_fiber::yield();
            pair.far.reset();
            reader.join();
            for (int i = 0; i < 3; ++i) {
                BOOST_TEST(coir::detail::reactor::current()->take_events(deadline::immediately()) ==
                           0U);
            }
            close_ours(pair.near);
        });
    }
}

BOOST_AUTO_TEST_CASE(a_regular_file_is_ready) {
    real_world().run([] {
        const unique_fd file = coir::test::temporary_file();
        BOOST_TEST(wait_io(reading(file, descriptor_kind::foreign), deadline::after(10s)).ready());
        BOOST_TEST(
            wait_io({file.get(), direction::write, descriptor_kind::foreign}, deadline::after(10s))
                .ready());
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_not_open_is_ebadf) {
    real_world().run([] {
        for (const int descriptor : {-1, 1000}) {
            const io_result result = wait_io(
                {descriptor, direction::read, descriptor_kind::foreign}, deadline::after(10s));
            BOOST_TEST(result.error == EBADF);
        }
    });
}

BOOST_AUTO_TEST_CASE(many_descriptors_become_ready_at_once) {
    real_world().run([] {
        std::deque<socket_pair> pairs(400);
        std::deque<fiber> readers;
        int woken = 0;
        for (auto& pair : pairs) {
            readers.emplace_back([&] {
                woken += wait_io(reading(pair.near, descriptor_kind::foreign), deadline::after(10s))
                             .ready();
            });
        }
        coir::this_fiber::yield();
        for (auto& pair : pairs) {
            put(pair.far);
        }
        for (fiber& f : readers) {
            f.join();
        }
        BOOST_TEST(woken == 400);
    });
}

BOOST_AUTO_TEST_CASE(interruptions_are_nothing_that_a_fiber_sees) {
    real_world().run([] {
        int interruptions = 0;
        const replace_system_call<&system_calls::ppoll> on_poll(
            [&](pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
                if (++interruptions < 5) {
                    errno = EINTR;
                    return -1;
                }
                return replace_system_call<&system_calls::ppoll>::original(fds, count, timeout,
                                                                           mask);
            });
#ifdef __linux__
        const replace_system_call<&system_calls::epoll_pwait2> on_epoll(
            [&](int epoll, epoll_event* events, int capacity, const timespec* timeout,
                const sigset_t* mask) {
                if (++interruptions < 5) {
                    errno = EINTR;
                    return -1;
                }
                return replace_system_call<&system_calls::epoll_pwait2>::original(
                    epoll, events, capacity, timeout, mask);
            });
        const replace_system_call<&system_calls::epoll_wait> on_old_epoll(
            [&](int epoll, epoll_event* events, int capacity, int timeout) {
                if (++interruptions < 5) {
                    errno = EINTR;
                    return -1;
                }
                return replace_system_call<&system_calls::epoll_wait>::original(epoll, events,
                                                                                capacity, timeout);
            });
        using on_enter = replace_system_call<&system_calls::io_uring_enter>;
        const on_enter on_uring([&](int ring, unsigned to_submit, unsigned least, unsigned flags,
                                    void* argument, std::size_t size) {
            if (++interruptions < 5) {
                errno = EINTR;
                return -1;
            }
            return on_enter::original(ring, to_submit, least, flags, argument, size);
        });
#endif
        const socket_pair pair;
        // Far enough for five turns, however slow they are.
        const auto until = std::chrono::steady_clock::now() + 50ms;
        const io_result result = wait_io(reading(pair.near, descriptor_kind::foreign), until);
        BOOST_TEST((result.status == wait_status::timed_out));
        BOOST_TEST((std::chrono::steady_clock::now() >= until));
        BOOST_TEST(interruptions >= 5);
    });
}

BOOST_AUTO_TEST_CASE(another_thread_wakes_a_carrier_that_waits_in_the_kernel) {
    real_world().run([] {
        for (int i = 0; i < 200; ++i) {
            coir::wait_queue queue;
            std::mutex mutex;
            bool notified = false;
            std::thread notifier([&] {
                const std::lock_guard lock(mutex);
                notified = true;
                queue.unpark_one();
            });
            {
                std::unique_lock lock(mutex);
                while (!notified) {
                    queue.park(lock);
                }
            }
            notifier.join();
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(wait_io_on_plain_threads)

BOOST_AUTO_TEST_CASE(it_blocks_until_the_descriptor_is_ready) {
    const socket_pair pair;
    const watched_thread here;
    std::thread writer([&] {
        here.await_asleep();
        put_from_thread(pair.far);
    });
    BOOST_TEST(wait_io(reading(pair.near), deadline::never()).ready());
    writer.join();
}

BOOST_AUTO_TEST_CASE(it_ends_at_its_deadline_and_at_a_scope_s) {
    const socket_pair pair;
    const auto until = std::chrono::steady_clock::now() + 2ms;
    BOOST_TEST((wait_io(reading(pair.near), until).status == wait_status::timed_out));
    BOOST_TEST((std::chrono::steady_clock::now() >= until));
    BOOST_TEST(!coir::try_for(2ms, [&] {
        BOOST_TEST(
            (wait_io(reading(pair.near), deadline::never()).status == wait_status::cancelled));
        coir::this_fiber::check_cancelled();
    }));
}

BOOST_AUTO_TEST_CASE(a_cancelled_scope_ends_it_at_once) {
    const socket_pair pair;
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] {
        BOOST_TEST(
            (wait_io(reading(pair.near), deadline::never()).status == wait_status::cancelled));
    });
}

BOOST_AUTO_TEST_CASE(errors_are_handed_on_and_interruptions_are_not) {
    const socket_pair pair;
    BOOST_TEST(
        wait_io({1000, direction::read, descriptor_kind::foreign}, deadline::never()).error ==
        EBADF);
    {
        const replace_system_call<&system_calls::ppoll> guard(failing_with(ENOMEM));
        BOOST_TEST(wait_io(reading(pair.near), deadline::never()).error == ENOMEM);
    }
    put(pair.far);
    int calls = 0;
    const replace_system_call<&system_calls::ppoll> guard(
        [&](pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
            if (++calls == 1) {
                errno = EINTR;
                return -1;
            }
            return replace_system_call<&system_calls::ppoll>::original(fds, count, timeout, mask);
        });
    BOOST_TEST(wait_io(reading(pair.near), deadline::never()).ready());
    BOOST_TEST(calls == 2);
}

BOOST_AUTO_TEST_CASE(it_waits_for_many_at_once) {
    std::deque<socket_pair> pairs(20);
    std::vector<io_interest> interests;
    for (const auto& pair : pairs) {
        interests.push_back(reading(pair.near));
    }
    put(pairs[13].far);
    BOOST_TEST(
        coir::detail::wait_io_any(interests.data(), interests.size(), deadline::never()).ready());
}

BOOST_AUTO_TEST_SUITE_END()
