// SPDX-License-Identifier: BSL-1.0
// Signal handlers that wake fibers and threads. The signal is SIGUSR1, and its handler sets the
// event that is under test.
#include <coir/signal_safe_event.hpp>

#include "support/kept_signals.hpp"
#include "support/system_calls.hpp"
#include "support/watched_thread.hpp"
#include "time/clock.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/sync.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

using coir::fiber;
using coir::run;
using coir::run_options;
using coir::signal_safe_event;
using coir::detail::system_calls;
using coir::test::replace_system_call;
using coir::test::watched_thread;
using namespace std::chrono_literals;

namespace {

// While it lives, SIGUSR1 sets `event`.
class handler_that_sets {
public:
    explicit handler_that_sets(signal_safe_event& event) {
        target = &event;
        struct sigaction action {};
        action.sa_handler = [](int) {
            target.load()->set();
        };
        action.sa_flags = SA_RESTART | SA_ONSTACK;
        sigaction(SIGUSR1, &action, &before_);
    }
    ~handler_that_sets() { sigaction(SIGUSR1, &before_, nullptr); }

private:
    inline static std::atomic<signal_safe_event*> target{nullptr};
    struct sigaction before_ {};
};

void run_on_virtual_time(const std::function<void()>& body) {
    run_options options;
    options.clock = coir::clock_kind::virtual_time;
    run(options, body);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(events_that_signal_handlers_set)

// --- In one thread -----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_set_event_lets_one_pass_and_is_reset) {
    const auto body = [] {
        signal_safe_event event;
        BOOST_TEST(!event.is_set());
        BOOST_TEST(!event.try_wait());
        event.set();
        BOOST_TEST(event.is_set());
        event.wait();
        BOOST_TEST(!event.is_set());
        event.set();
        BOOST_TEST(event.try_wait());
        BOOST_TEST(!event.wait_for(-1s));
    };
    run(body);
    body();  // on a plain thread
}

BOOST_AUTO_TEST_CASE(several_sets_count_as_one) {
    const auto body = [] {
        signal_safe_event event;
        const handler_that_sets handler(event);
        raise(SIGUSR1);
        raise(SIGUSR1);
        event.set();
        event.wait();
        BOOST_TEST(!event.try_wait());
        BOOST_TEST(!event.wait_for(1ms));
    };
    run_on_virtual_time(body);
    body();
}

BOOST_AUTO_TEST_CASE(a_handler_keeps_errno) {
    signal_safe_event event;
    const handler_that_sets handler(event);
    errno = EDOM;
    raise(SIGUSR1);
    BOOST_TEST(errno == EDOM);
    {
        const replace_system_call<&system_calls::write> full(coir::test::failing_with(EAGAIN));
        raise(SIGUSR1);
        BOOST_TEST(errno == EDOM);
    }
    event.wait();
    BOOST_TEST(!event.is_set());
}

// Goal: whatever moment of a wait the handler comes at, the wait ends; and set() meets no lock that
// the wait holds. Method: the system calls that the wait makes raise the signal, before they are
// made or after.
BOOST_AUTO_TEST_CASE(no_moment_of_a_wait_is_the_wrong_one_for_a_signal) {
    for (int moment = 0; moment < 4; ++moment) {
        const auto body = [moment] {
            signal_safe_event event;
            const handler_that_sets handler(event);
            int reads = 0;
            const replace_system_call<&system_calls::read> interrupted(
                [&](int fd, void* data, std::size_t size) {
                    const bool now = reads++ == moment / 2;
                    if (now && moment % 2 == 0) {
                        raise(SIGUSR1);
                    }
                    const ssize_t result =
                        replace_system_call<&system_calls::read>::original(fd, data, size);
                    if (now && moment % 2 != 0) {
                        raise(SIGUSR1);
                    }
                    return result;
                });
            if (moment >= 2) {
                event.set();
                event.wait();  // the first read
            }
            event.wait();
            BOOST_TEST(!event.is_set());
        };
        run(body);
        body();
    }
}

BOOST_AUTO_TEST_CASE(what_a_child_process_sets_is_not_set_here) {
    run_on_virtual_time([] {
        signal_safe_event event;
        const handler_that_sets handler(event);
        const pid_t child = ::fork();
        if (child == 0) {
            raise(SIGUSR1);
            ::_exit(event.is_set() ? 0 : 1);
        }
        int status = -1;
        BOOST_TEST(::waitpid(child, &status, 0) == child);
        BOOST_TEST(status == 0);
        BOOST_TEST(!event.is_set());
        BOOST_TEST(!event.wait_for(1ms));
        fiber waiting([&] { event.wait(); });
        coir::this_fiber::yield();
        raise(SIGUSR1);
        waiting.join();
    });
}

// --- The end of a wait otherwise ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_wait_ends_at_its_deadline_and_never_before) {
    run_on_virtual_time([] {
        signal_safe_event event;
        const auto start = coir::detail::now();
        BOOST_TEST(!event.wait_for(2ms));
        BOOST_TEST((coir::detail::now() - start == 2ms));
        BOOST_CHECK_THROW(coir::with_timeout(2ms, [&] { event.wait(); }), coir::timed_out);
        BOOST_TEST((coir::detail::now() - start == 4ms));
        event.set();
        BOOST_TEST(event.wait_for(1ms));
    });
    const auto start = std::chrono::steady_clock::now();
    signal_safe_event event;
    BOOST_TEST(!event.wait_for(2ms));
    BOOST_CHECK_THROW(coir::with_timeout(2ms, [&] { event.wait(); }), coir::timed_out);
    BOOST_TEST((std::chrono::steady_clock::now() - start >= 4ms));
}

BOOST_AUTO_TEST_CASE(a_cancelled_or_timed_out_wait_does_not_reset_it) {
    run_on_virtual_time([] {
        signal_safe_event event;
        const handler_that_sets handler(event);
        bool passed = false;
        fiber cancelled([&] {
            event.wait();
            passed = true;
        });
        fiber timed_out([&] { passed = event.wait_for(1ms); });
        coir::this_fiber::sleep_for(2ms);
        cancelled.cancel();
        raise(SIGUSR1);
        cancelled.join();
        timed_out.join();
        BOOST_TEST(!passed);
        BOOST_TEST(event.is_set());
        event.wait();
    });
}

BOOST_AUTO_TEST_CASE(every_wait_is_a_cancellation_point_although_it_is_set) {
    const auto body = [] {
        signal_safe_event event;
        event.set();
        coir::cancel_scope scope;
        scope.cancel();
        scope.run([&] {
            BOOST_CHECK_THROW(event.wait(), coir::operation_cancelled);
            BOOST_CHECK_THROW(event.wait_for(1ms), coir::operation_cancelled);
        });
        BOOST_TEST(event.is_set());
    };
    run(body);
    body();
}

BOOST_AUTO_TEST_CASE(a_loop_of_passes_or_of_failed_looks_lets_others_run) {
    run([] {
        signal_safe_event event;
        fiber setting([&] { event.set(); });
        while (!event.try_wait()) {
        }
        bool ran = false;
        fiber other([&] { ran = true; });
        while (!ran) {
            event.set();
            event.wait();
        }
        BOOST_TEST(ran);
    });
}

#ifdef __linux__
BOOST_AUTO_TEST_CASE(without_a_descriptor_there_is_no_event) {
    const replace_system_call<&system_calls::eventfd> none_left(coir::test::failing_with(EMFILE));
    BOOST_CHECK_EXCEPTION(signal_safe_event(), std::system_error,
                          [](const auto& e) { return e.code() == std::errc::too_many_files_open; });
}

BOOST_AUTO_TEST_CASE(a_wait_that_the_kernel_has_no_room_for_fails) {
    const char* const reactor = std::getenv("COIR_REACTOR");
    if (reactor != nullptr && std::string_view(reactor) != "epoll") {
        return;  // poll(2) registers nothing, and io_uring has room
    }
    run([] {
        signal_safe_event event;
        {
            const replace_system_call<&system_calls::epoll_ctl> no_room(
                coir::test::failing_with(ENOSPC));
            BOOST_CHECK_EXCEPTION(event.wait(), std::system_error, [](const auto& e) {
                return e.code() == std::errc::no_space_on_device;
            });
        }
        event.set();
        event.wait();
    });
}
#endif

// --- From other threads ------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_handler_wakes_a_carrier_that_sleeps_in_its_poller) {
    run([] {
        signal_safe_event event;
        const handler_that_sets handler(event);
        const watched_thread carrier;
        const pthread_t self = pthread_self();
        std::thread killer([&] {
            carrier.await_asleep();
            pthread_kill(self, SIGUSR1);
        });
        event.wait();
        BOOST_TEST(!event.is_set());
        killer.join();
    });
}

BOOST_AUTO_TEST_CASE(a_handler_wakes_a_thread_that_sleeps_in_a_wait) {
    signal_safe_event event;
    const handler_that_sets handler(event);
    const watched_thread waiting;
    const pthread_t self = pthread_self();
    std::thread killer([&] {
        waiting.await_asleep();
        pthread_kill(self, SIGUSR1);
    });
    BOOST_TEST(event.wait_for(1h));
    killer.join();
}

BOOST_AUTO_TEST_CASE(a_handler_on_another_thread_wakes_a_fiber) {
    run([] {
        signal_safe_event event;
        const handler_that_sets handler(event);
        const watched_thread carrier;
        std::thread interrupted([&] {
            carrier.await_asleep();
            raise(SIGUSR1);
        });
        event.wait();
        BOOST_TEST(!event.is_set());
        interrupted.join();
    });
}

// Goal: a handler may interrupt fibers in whatever they do. Method: fibers switch, lock, signal and
// wait without end, on the thread that the signals are sent to, each as soon as the last one was
// seen.
BOOST_AUTO_TEST_CASE(handlers_come_in_the_midst_of_running_fibers) {
    run([] {
        constexpr int signals = 200;
        signal_safe_event event;
        const handler_that_sets handler(event);
        coir::event go_on(coir::event::reset_mode::automatic);
        coir::mutex shared;
        coir::counting_semaphore<> ping(0);
        coir::counting_semaphore<> pong(0);
        const pthread_t self = pthread_self();
        std::thread killer([&] {
            for (int i = 0; i < signals; ++i) {
                pthread_kill(self, SIGUSR1);
                go_on.wait();
            }
        });
        fiber busy([&] {
            for (;;) {
                ping.release();
                pong.acquire();
                const std::lock_guard guard(shared);
                coir::this_fiber::yield();
            }
        });
        fiber busy_too([&] {
            for (;;) {
                ping.acquire();
                const std::lock_guard guard(shared);
                pong.release();
            }
        });
        for (int i = 0; i < signals; ++i) {
            coir::test::wait_for_handler(event);
            go_on.set();
        }
        killer.join();
        BOOST_TEST(!event.is_set());
        busy.cancel();
        busy_too.cancel();
    });
}

// Goal: of fibers of two carriers and a thread that wait for one event, exactly one passes by each
// set, and none is forgotten. Method: each set comes when the last one was passed.
BOOST_AUTO_TEST_CASE(one_of_several_waiters_passes_each_time) {
    run_options two;
    two.threads = 2;
    run(two, [] {
        constexpr int sets = 300;
        signal_safe_event event;
        std::atomic<int> passed{0};
        std::atomic<bool> over{false};
        coir::counting_semaphore<> seen(0);
        const auto pass = [&] {
            while (event.wait(), !over) {
                ++passed;
                seen.release();
            }
            event.set();  // the next one is to end, too
            seen.release();
        };
        fiber here(coir::fiber_options().on(0), pass);
        fiber there(coir::fiber_options().on(1), pass);
        std::thread on_a_thread(pass);
        for (int i = 0; i < sets; ++i) {
            event.set();
            seen.acquire();
        }
        BOOST_TEST(passed == sets);
        BOOST_TEST(!event.is_set());
        over = true;
        event.set();
        here.join();
        there.join();
        on_a_thread.join();
    });
}

// Goal: who has passed need not know whether set() has returned. Method: the event is gone as soon
// as the wait is over, while the thread that set it is on its way out; ASan and TSan watch.
BOOST_AUTO_TEST_CASE(who_has_passed_may_destroy_it) {
    run([] {
        for (int i = 0; i < 200; ++i) {
            std::optional<signal_safe_event> event(std::in_place);
            std::thread setting([&] { event->set(); });
            if (i % 2 == 0) {
                event->wait();
            } else {
                while (!event->try_wait()) {
                }
            }
            BOOST_TEST(!event->is_set());
            event.reset();
            setting.join();
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
