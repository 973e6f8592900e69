// SPDX-License-Identifier: BSL-1.0
// How a run ends, and fibers that cannot begin.
#include "context/overflow.hpp"
#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"
#include "support/system_calls.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/mman.h>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using coir::fiber;
using coir::test::fiber_world;
using coir::test::replace_system_call;
using std::chrono::hours;
using std::chrono::milliseconds;

// Refuses mappings that are as large as stacks are.
void* refuse_large(void* hint, std::size_t size, int protection, int flags, int fd, off_t offset) {
    if (size >= 64 * 1024) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return replace_system_call<&coir::detail::system_calls::mmap>::original(hint, size, protection,
                                                                            flags, fd, offset);
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scheduler_end)

BOOST_AUTO_TEST_CASE(fibers_that_sleep_when_the_main_fiber_ends_are_cancelled_and_awaited) {
    fiber_world world;
    int cancelled = 0;
    int cleaned_up = 0;
    auto body = [&] {
        for (int i = 0; i < 3; ++i) {
            fiber([&] {
                struct cleanup {
                    ~cleanup() { ++count; }
                    int& count;
                } const at_exit{cleaned_up};
                try {
                    coir::this_fiber::sleep_for(hours(1));
                } catch (const coir::operation_cancelled&) {
                    ++cancelled;
                    throw;
                }
            }).detach();
        }
        coir::this_fiber::yield();
    };
    world.run(body);
    BOOST_TEST(cancelled == 3);
    BOOST_TEST(cleaned_up == 3);
    BOOST_TEST((world.time().now() == coir::detail::virtual_clock::start));
}

BOOST_AUTO_TEST_CASE(a_fiber_that_was_never_started_when_the_main_fiber_ends_starts_cancelled) {
    fiber_world world;
    bool started = false;
    bool waited = false;
    auto body = [&] {
        fiber([&] {
            started = true;
            coir::this_fiber::yield();
            waited = true;
        }).detach();
    };
    world.run(body);
    BOOST_TEST(started);
    BOOST_TEST(!waited);
}

BOOST_AUTO_TEST_CASE(fibers_that_are_spawned_during_the_end_are_awaited_too) {
    fiber_world world;
    bool second_ran = false;
    auto body = [&] {
        fiber([&] {
            try {
                coir::this_fiber::sleep_for(hours(1));
            } catch (const coir::operation_cancelled&) {
                fiber([&] { second_ran = true; }).detach();
                throw;
            }
        }).detach();
        coir::this_fiber::yield();
    };
    world.run(body);
    BOOST_TEST(second_ran);
}

BOOST_AUTO_TEST_CASE(shielded_cleanup_is_awaited) {
    fiber_world world;
    bool cleaned_up = false;
    auto body = [&] {
        fiber([&] {
            try {
                coir::this_fiber::sleep_for(hours(1));
            } catch (const coir::operation_cancelled&) {
                coir::shield([] { coir::this_fiber::sleep_for(milliseconds(7)); });
                cleaned_up = true;
                throw;
            }
        }).detach();
        coir::this_fiber::yield();
    };
    world.run(body);
    BOOST_TEST(cleaned_up);
    BOOST_TEST((world.time().now() - coir::detail::virtual_clock::start == milliseconds(7)));
}

BOOST_AUTO_TEST_CASE(an_exception_of_the_main_fiber_comes_out_when_all_others_have_ended) {
    fiber_world world;
    bool ended = false;
    auto body = [&] {
        fiber([&] {
            struct at_exit {
                ~at_exit() { flag = true; }
                bool& flag;
            } const guard{ended};
            coir::this_fiber::sleep_for(hours(1));
        }).detach();
        coir::this_fiber::yield();
        throw std::runtime_error("of main");
    };
    BOOST_CHECK_EXCEPTION(world.run(body), std::runtime_error, [&](const std::runtime_error& e) {
        return ended && e.what() == std::string("of main");
    });
}

BOOST_AUTO_TEST_CASE(a_scheduler_can_run_again) {
    fiber_world world;
    int runs = 0;
    auto body = [&] {
        fiber f([&] { ++runs; });
        f.join();
    };
    world.run(body);
    BOOST_TEST(runs == 1);
}

BOOST_AUTO_TEST_CASE(a_fiber_without_a_stack_ends_with_the_reason_and_the_others_go_on) {
    fiber_world world;
    auto body = [] {
        bool other_ran = false;
        bool callable_destroyed = false;
        bool started = false;
        // The other one is running, on a stack of another size.
        fiber other({"other", 32 * 1024}, [&] {
            coir::this_fiber::sleep_for(milliseconds(1));
            other_ran = true;
        });
        coir::this_fiber::yield();
        {
            const replace_system_call<&coir::detail::system_calls::mmap> guard(refuse_large);
            const std::shared_ptr<void> kept(nullptr, [&](void*) { callable_destroyed = true; });
            fiber unlucky({"unlucky", 1024 * 1024}, [&started, held = kept] { started = true; });
            BOOST_CHECK_EXCEPTION(unlucky.join(), std::system_error,
                                  [](const std::system_error& e) {
                                      return e.code() == std::errc::not_enough_memory &&
                                             contains(e.what(), "fiber_options::stack_size") &&
                                             contains(e.what(), "vm.max_map_count");
                                  });
        }
        BOOST_TEST(callable_destroyed);
        BOOST_TEST(!started);
        other.join();
        BOOST_TEST(other_ran);
        fiber lucky({"lucky", 1024 * 1024}, [&] { started = true; });
        lucky.join();
        BOOST_TEST(started);
    };
    world.run(body);
}

BOOST_AUTO_TEST_CASE(a_detached_fiber_without_a_stack_is_logged_with_its_name) {
    fiber_world world;
    coir::test::captured_log log;
    auto body = [] {
        const replace_system_call<&coir::detail::system_calls::mmap> guard(refuse_large);
        fiber({"unlucky", 1024 * 1024}, [] {}).detach();
        coir::this_fiber::yield();
    };
    world.run(body);
    BOOST_TEST(log.has("unlucky"));
    BOOST_TEST(log.has("cannot map a stack"));
}

BOOST_AUTO_TEST_CASE(a_callable_that_never_got_a_stack_may_own_a_fiber_that_must_be_awaited) {
    fiber_world world;
    auto body = [] {
        bool inner_ended = false;
        fiber inner({"inner", 32 * 1024}, [&] {
            try {
                coir::this_fiber::sleep_for(hours(1));
            } catch (const coir::operation_cancelled&) {
                coir::shield([] { coir::this_fiber::sleep_for(milliseconds(1)); });
                inner_ended = true;
                throw;
            }
        });
        coir::this_fiber::yield();
        const replace_system_call<&coir::detail::system_calls::mmap> guard(refuse_large);
        fiber unlucky({"unlucky", 1024 * 1024}, [owned = std::move(inner)] {});
        BOOST_CHECK_THROW(unlucky.join(), std::system_error);
        BOOST_TEST(inner_ended);
    };
    world.run(body);
}

// More of them than there are spare stacks to tell them on, and telling them takes time.
BOOST_AUTO_TEST_CASE(several_fibers_without_a_stack_are_told_one_after_the_other) {
    fiber_world world;
    int told = 0;
    struct waits_at_end {
        explicit waits_at_end(int& n) : count(&n) {}
        waits_at_end(waits_at_end&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
        ~waits_at_end() {
            if (count != nullptr) {
                coir::this_fiber::yield();
                ++*count;
            }
        }
        void operator()() const {}
        int* count;
    };
    auto body = [&] {
        const replace_system_call<&coir::detail::system_calls::mmap> guard(refuse_large);
        std::vector<fiber> fibers;
        for (int i = 0; i < 5; ++i) {
            fibers.emplace_back(coir::fiber_options("unlucky", 1024 * 1024), waits_at_end(told));
        }
        for (fiber& f : fibers) {
            BOOST_CHECK_THROW(f.join(), std::system_error);
        }
    };
    world.run(body);
    BOOST_TEST(told == 5);
}

namespace {
const std::size_t bad_sizes[] = {1, 4096, 16 * 1024 - 1, std::size_t{1024} * 1024 * 1024 + 1,
                                 SIZE_MAX};
}

BOOST_DATA_TEST_CASE(a_stack_size_out_of_range_is_refused_with_value_limits_and_knob, bad_sizes,
                     size) {
    fiber_world world;
    const auto names_all = [&](const std::invalid_argument& e) {
        return contains(e.what(), std::to_string(size)) && contains(e.what(), "16384") &&
               contains(e.what(), "1073741824") && contains(e.what(), "fiber_options::stack_size");
    };
    auto body = [&] {
        BOOST_CHECK_EXCEPTION(fiber({"f", size}, [] {}), std::invalid_argument, names_all);
    };
    world.run(body);
    BOOST_CHECK_EXCEPTION(fiber_world(coir::detail::scheduler::settings{size, {}}),
                          std::invalid_argument, [&](const std::invalid_argument& e) {
                              return contains(e.what(), std::to_string(size)) &&
                                     contains(e.what(), "run_options::stack_size");
                          });
}

FIBER_TEST_CASE(the_least_and_a_large_stack_size_work) {
    fiber least({"least", 16 * 1024}, [] { coir::this_fiber::yield(); });
    fiber large({"large", 512 * 1024 * 1024}, [] { coir::this_fiber::yield(); });
    least.join();
    large.join();
}

FIBER_TEST_CASE(a_callable_whose_copy_throws_leaves_nothing_behind) {
    struct throws_when_copied {
        throws_when_copied() = default;
        throws_when_copied(const throws_when_copied&) { throw std::runtime_error("no copy"); }
        void operator()() const {}
    };
    const throws_when_copied fn;
    BOOST_CHECK_THROW(fiber{fn}, std::runtime_error);
    BOOST_TEST(coir::detail::scheduler::current()->live_fibers() == 0U);
}

BOOST_AUTO_TEST_CASE(a_fiber_on_a_plain_thread_cannot_be_spawned) {
    BOOST_CHECK_EXCEPTION(fiber([] {}), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::operation_not_permitted && contains(e.what(), "coir::run");
    });
}

BOOST_AUTO_TEST_SUITE_END()
