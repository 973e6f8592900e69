// SPDX-License-Identifier: BSL-1.0
#include <coir/runtime.hpp>

#include <coir/cancellation.hpp>
#include <coir/carrier.hpp>
#include <coir/fiber_local.hpp>
#include <coir/net/tcp.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using coir::fiber_options;
using coir::run_options;
using coir::runtime;
using namespace std::chrono_literals;

namespace {

run_options carriers(std::size_t count) {
    run_options options;
    options.threads = count;
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(runtime_in_the_background)

BOOST_AUTO_TEST_CASE(a_plain_thread_gets_the_result_of_a_fiber) {
    runtime background;
    auto sum = background.submit([](int a, int b) { return a + b; }, 2, 3);
    BOOST_TEST(sum.get() == 5);
    auto name = background.submit(fiber_options("worker"), [] { return coir::this_fiber::name(); });
    BOOST_TEST(name.get() == "worker");
}

// What posts it is no fiber, and none can make way for it.
BOOST_AUTO_TEST_CASE(an_eager_fiber_begins_when_its_turn_comes) {
    runtime background(carriers(2));
    for (int i = 0; i < 200; ++i) {
        auto number = background.submit(fiber_options("eager").eagerly(), [i] {
            coir::this_fiber::yield();
            return i;
        });
        BOOST_TEST(number.get() == i);
    }
}

BOOST_AUTO_TEST_CASE(it_runs_on_threads_of_its_own) {
    runtime background(carriers(2));
    BOOST_TEST(background.threads() == 2U);
    for (int carrier = 0; carrier < 2; ++carrier) {
        const auto submitted = background
                                   .submit(fiber_options().on(carrier),
                                           [] {
                                               return std::make_pair(std::this_thread::get_id(),
                                                                     coir::this_carrier::number());
                                           })
                                   .get();
        BOOST_TEST((submitted.first != std::this_thread::get_id()));
        BOOST_TEST(submitted.second == carrier);
    }
    BOOST_TEST(coir::this_carrier::number() == -1);
}

BOOST_AUTO_TEST_CASE(an_exception_comes_out_of_the_future) {
    runtime background;
    auto failing = background.submit([]() -> int { throw std::runtime_error("in the fiber"); });
    BOOST_CHECK_EXCEPTION(failing.get(), std::runtime_error,
                          [](const auto& e) { return std::string(e.what()) == "in the fiber"; });
}

BOOST_AUTO_TEST_CASE(move_only_functions_arguments_and_results_are_taken) {
    runtime background;
    auto future = background.submit(
        [owned = std::make_unique<int>(1)](std::unique_ptr<int> more) {
            return std::make_unique<int>(*owned + *more);
        },
        std::make_unique<int>(2));
    BOOST_TEST(*future.get() == 3);
}

BOOST_AUTO_TEST_CASE(many_threads_submit_at_once) {
    runtime background(carriers(2));
    std::atomic<int> ran{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            std::vector<coir::future<int>> futures;
            for (int i = 0; i < 250; ++i) {
                futures.push_back(background.submit([&, i] {
                    ++ran;
                    return i;
                }));
            }
            for (int i = 0; i < 250; ++i) {
                if (futures[static_cast<std::size_t>(i)].get() != i) {
                    ran += 100'000;
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    BOOST_TEST(ran == 1000);
}

BOOST_AUTO_TEST_CASE(its_end_cancels_and_awaits) {
    std::atomic<bool> cleaned_up{false};
    std::atomic<bool> started{false};
    std::optional<runtime> background(std::in_place, carriers(2));
    auto sleeper = background->submit([&] {
        struct cleanup {
            ~cleanup() {
                coir::shield([] { coir::this_fiber::sleep_for(2ms); });
                done = true;
            }
            std::atomic<bool>& done;
        } const at_end{cleaned_up};
        started = true;
        coir::this_fiber::sleep_for(1h);
    });
    while (!started) {
        std::this_thread::yield();
    }
    background.reset();
    BOOST_TEST(cleaned_up);
    BOOST_CHECK_THROW(sleeper.get(), coir::task_cancelled);
}

BOOST_AUTO_TEST_CASE(one_task_is_cancelled_by_its_future_even_before_it_is_a_fiber) {
    runtime background;
    for (int i = 0; i < 100; ++i) {
        auto sleeper = background.submit([] { coir::this_fiber::sleep_for(1h); });
        sleeper.cancel();
        BOOST_CHECK_THROW(sleeper.get(), coir::task_cancelled);
    }
}

// A runtime that is shutting down takes nothing more: a fiber of it that is being cancelled tries.
BOOST_AUTO_TEST_CASE(submitting_to_a_runtime_that_shuts_down_is_refused_by_name) {
    std::string message;
    std::atomic<bool> started{false};
    auto background = std::make_unique<runtime>();
    runtime* const ending = background.get();
    auto late = background->submit([&] {
        try {
            started = true;
            coir::this_fiber::sleep_for(1h);
        } catch (const coir::operation_cancelled&) {
            try {
                ending->submit([] {});
            } catch (const std::system_error& e) {
                message = e.code() == std::errc::operation_canceled ? e.what() : "another code";
            }
            throw;
        }
    });
    while (!started) {
        std::this_thread::yield();
    }
    background.reset();
    BOOST_TEST(message.find("coir::runtime::submit: the runtime is shutting down") == 0U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused_when_it_is_made_or_asked) {
    BOOST_CHECK_THROW(runtime(carriers(0)), std::invalid_argument);
    BOOST_CHECK_THROW(runtime(carriers(10'000)), std::invalid_argument);
    runtime background;
    BOOST_CHECK_THROW(background.submit(fiber_options().on(1), [] {}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_fiber_inherits_from_the_submitter) {
    static const coir::inherited<std::string> request("none");
    runtime background;
    const coir::inherited<std::string>::scope of_this_thread(request, "request 7");
    BOOST_TEST(background.submit([] { return *request; }).get() == "request 7");
}

BOOST_AUTO_TEST_CASE(a_fiber_of_another_run_parks_while_it_waits) {
    runtime background;
    coir::run([&] {
        std::atomic<bool> go{false};
        auto remote = background.submit([&] {
            while (!go) {
                coir::this_fiber::sleep_for(100us);
            }
            return 7;
        });
        coir::fiber other([&] { go = true; });
        BOOST_TEST(remote.get() == 7);
    });
}

BOOST_AUTO_TEST_CASE(it_may_end_inside_a_fiber_of_another_run) {
    coir::run([] {
        int turns = 0;
        coir::fiber other([&] {
            for (;;) {
                ++turns;
                coir::this_fiber::sleep_for(100us);
            }
        });
        {
            runtime background;
            background.submit([] { coir::shield([] { coir::this_fiber::sleep_for(3ms); }); });
        }
        BOOST_TEST(turns > 1);
    });
}

BOOST_AUTO_TEST_SUITE_END()
