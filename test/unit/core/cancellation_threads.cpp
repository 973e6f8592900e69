// SPDX-License-Identifier: BSL-1.0
// Cancelling and joining from other threads, and scopes on plain threads.
#include "core/waiter.hpp"
#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "support/rounds.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <thread>

using coir::cancel_scope;
using coir::deadline;
using coir::fiber;
using coir::operation_cancelled;
using coir::test::run_in_fiber_world;
using namespace std::chrono_literals;
using coir::this_fiber::yield;

namespace {

// Waits as for something that another thread will do, so that it is no deadlock.
void wait_for_outside() {
    coir::wait_queue queue;
    std::mutex mutex;
    std::unique_lock lock(mutex);
    queue.park(lock);
    coir::detail::check_cancelled();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cancellation_across_threads)

FIBER_TEST_CASE(a_scope_is_cancelled_from_another_thread) {
    cancel_scope scope;
    std::thread canceller;
    BOOST_TEST(!scope.run([&] {
        canceller = std::thread([&] { scope.cancel(); });
        wait_for_outside();
    }));
    canceller.join();
    BOOST_TEST(scope.cancel_requested());
    yield();
}

FIBER_TEST_CASE(a_fiber_is_cancelled_from_another_thread) {
    fiber f([] { wait_for_outside(); });
    yield();
    std::thread canceller([&] { f.cancel(); });
    f.join();
    canceller.join();
}

BOOST_AUTO_TEST_CASE(a_fiber_is_joined_by_a_plain_thread) {
    std::atomic<bool> joined{false};
    bool slept = false;
    std::thread joiner;
    run_in_fiber_world([&] {
        fiber f([&] {
            coir::this_fiber::sleep_for(5ms);
            slept = true;
        });
        joiner = std::thread([&, handle = std::move(f)]() mutable {
            handle.join();
            joined = true;
        });
        while (!joined) {
            coir::this_fiber::sleep_for(1us);
        }
    });
    joiner.join();
    BOOST_TEST(slept);
}

BOOST_AUTO_TEST_CASE(what_escapes_a_fiber_is_rethrown_to_a_plain_thread) {
    std::atomic<bool> caught{false};
    std::thread joiner;
    run_in_fiber_world([&] {
        fiber f([] { throw std::runtime_error("across"); });
        joiner = std::thread([&, handle = std::move(f)]() mutable {
            try {
                handle.join();
            } catch (const std::runtime_error&) {
                caught = true;
            }
        });
        while (!caught) {
            coir::this_fiber::sleep_for(1us);
        }
    });
    joiner.join();
    BOOST_TEST(caught);
}

BOOST_AUTO_TEST_CASE(a_handle_may_outlive_the_run) {
    fiber ended;
    fiber cancelled;
    run_in_fiber_world([&] {
        ended = fiber([] {});
        cancelled = fiber([] { coir::this_fiber::sleep_for(1h); });
        yield();
        // The world checks that no block is left, and these two hold one each.
        ended.join();
        cancelled.cancel();
        cancelled.join();
    });
    BOOST_TEST(!ended.joinable());
}

BOOST_AUTO_TEST_CASE(a_handle_that_outlives_the_run_can_be_joined_cancelled_and_dropped) {
    const coir::test::captured_log log;
    struct unchecked_world {
        coir::detail::virtual_clock time;
        coir::detail::clock_scope current{time};
        coir::test::jumping_idle_source idle{time};
    };
    fiber joined;
    fiber failed;
    fiber dropped;
    {
        unchecked_world world;
        coir::detail::scheduler fibers({}, world.idle);
        auto body = [&] {
            joined = fiber([] { coir::this_fiber::sleep_for(1h); });
            failed = fiber([] { throw std::runtime_error("kept"); });
            dropped = fiber({"dropped"}, [] { throw std::runtime_error("logged"); });
        };
        fibers.run_main(body);
    }
    joined.cancel();
    joined.join();
    BOOST_CHECK_THROW(failed.join(), std::runtime_error);
    BOOST_TEST(log.messages() == 0U);
    dropped = fiber();
    BOOST_TEST(log.has("'dropped'"));
}

// Goal: a cancellation that races with the end of the scope neither is lost nor touches a scope
// that has gone. Method: many short scopes, each cancelled by a thread at some moment of its life.
FIBER_TEST_CASE(scopes_are_left_while_another_thread_cancels_them) {
    std::atomic<cancel_scope*> current{nullptr};
    std::atomic<bool> stop{false};
    std::atomic<bool> cancelling{false};
    std::thread canceller([&] {
        while (!stop) {
            cancelling = true;
            if (cancel_scope* const scope = current.load()) {
                scope->cancel();
            }
            cancelling = false;
            std::this_thread::yield();
        }
    });
    int cancelled = 0;
    for (int i = 0; i < 3000; ++i) {
        cancel_scope scope;
        current = &scope;
        const bool ended = scope.run([&] {
            for (int k = 0; k < 3; ++k) {
                yield();
            }
            if (i % 10 == 0) {
                wait_for_outside();
            }
        });
        cancelled += ended ? 0 : 1;
        current = nullptr;
        while (cancelling) {
            std::this_thread::yield();
        }
    }
    stop = true;
    canceller.join();
    BOOST_TEST(cancelled >= 300);
}

// Goal: the item by which a thread cancels a fiber is used again only when it was delivered.
// Method: many cancellations of fibers that swallow some of them.
FIBER_TEST_CASE(a_fiber_is_cancelled_again_and_again_from_another_thread) {
    constexpr int rounds = coir::test::rounds(50);
    for (int round = 0; round < rounds; ++round) {
        std::atomic<int> swallowed{0};
        fiber f([&] {
            while (swallowed < 20) {
                try {
                    wait_for_outside();
                } catch (const operation_cancelled&) {
                    ++swallowed;
                }
                coir::shield([] { yield(); });
            }
        });
        std::thread canceller([&] {
            while (swallowed < 20) {
                f.cancel();
                std::this_thread::yield();
            }
        });
        while (swallowed < 20) {
            yield();
        }
        canceller.join();
        f.join();
    }
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_a_scope_is_seen_by_the_next_wait) {
    cancel_scope scope;
    BOOST_TEST(!scope.run([&] {
        yield();
        std::thread([&] { scope.cancel(); }).join();
        coir::this_fiber::sleep_for(1h);
    }));
    BOOST_TEST(!scope.run([] { yield(); }));
    yield();
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_scopes_nest) {
    cancel_scope outer;
    cancel_scope inner;
    BOOST_TEST(outer.run([&] {
        inner.cancel();
        BOOST_TEST(!inner.run([] { yield(); }));
        yield();
    }));
    outer.cancel();
    bool after_inner = false;
    cancel_scope fresh;
    BOOST_TEST(!outer.run([&] {
        coir::shield([] { coir::this_fiber::sleep_for(1ms); });
        fresh.run([] { yield(); });
        after_inner = true;
    }));
    BOOST_TEST(!after_inner);
}

BOOST_AUTO_TEST_CASE(each_plain_thread_has_scopes_of_its_own) {
    cancel_scope scope;
    scope.cancel();
    scope.run([] {
        std::thread([] { yield(); }).join();  // not reached
    });
}

BOOST_AUTO_TEST_SUITE_END()
