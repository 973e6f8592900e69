// SPDX-License-Identifier: BSL-1.0
#include <coir/fiber.hpp>

#include "support/captured_log.hpp"
#include "support/fiber_test.hpp"

#include <coir/cancellation.hpp>
#include <coir/this_fiber.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unordered_set>
#include <utility>

using coir::fiber;
using coir::test::captured_log;
using coir::test::elapsed;
using namespace std::chrono_literals;
using coir::this_fiber::sleep_for;
using coir::this_fiber::yield;

namespace {

auto has_code(std::errc code) {
    return [code](const std::system_error& e) {
        return e.code() == code;
    };
}

int last_argument = 0;
void take_number(int number) { last_argument = number; }

}  // namespace

BOOST_AUTO_TEST_SUITE(fiber_handle)

FIBER_TEST_CASE(join_waits_for_the_end) {
    bool ended = false;
    fiber f([&] {
        sleep_for(3ms);
        ended = true;
    });
    BOOST_TEST(f.joinable());
    f.join();
    BOOST_TEST(ended);
    BOOST_TEST(!f.joinable());
    BOOST_TEST((f.get_id() == fiber::id()));
}

FIBER_TEST_CASE(join_of_a_fiber_that_has_ended_returns_at_once) {
    fiber f([] {});
    yield();
    f.join();
}

FIBER_TEST_CASE(join_rethrows_what_escaped_the_fiber) {
    const captured_log log;
    fiber f([] { throw std::runtime_error("escaped"); });
    BOOST_CHECK_EXCEPTION(f.join(), std::runtime_error, [](const std::runtime_error& e) {
        return e.what() == std::string("escaped");
    });
    BOOST_TEST(!f.joinable());
    fiber odd([] { throw 7; });
    BOOST_CHECK_EXCEPTION(odd.join(), int, [](int value) { return value == 7; });
    BOOST_TEST(log.messages() == 0U);
}

FIBER_TEST_CASE(join_of_a_cancelled_fiber_returns_normally) {
    fiber f([] { sleep_for(1h); });
    yield();
    f.cancel();
    f.join();
}

FIBER_TEST_CASE(join_is_a_cancellation_point_and_leaves_the_handle_joinable) {
    fiber target([] { sleep_for(1h); });
    fiber ended([] {});
    yield();
    fiber joiner([&] {
        BOOST_CHECK_THROW(target.join(), coir::operation_cancelled);
        BOOST_CHECK_THROW(ended.join(), coir::operation_cancelled);  // though it need not wait
    });
    yield();
    joiner.cancel();
    joiner.join();
    BOOST_TEST(target.joinable());
    BOOST_TEST(ended.joinable());
}

FIBER_TEST_CASE(calls_on_a_handle_to_no_fiber_are_invalid) {
    fiber f([] {});
    f.join();
    BOOST_CHECK_EXCEPTION(f.join(), std::system_error, has_code(std::errc::invalid_argument));
    BOOST_CHECK_EXCEPTION(f.detach(), std::system_error, has_code(std::errc::invalid_argument));
    BOOST_CHECK_EXCEPTION(f.cancel(), std::system_error, has_code(std::errc::invalid_argument));
    BOOST_CHECK_EXCEPTION(fiber().join(), std::system_error, has_code(std::errc::invalid_argument));
    BOOST_TEST(!fiber().joinable());
}

FIBER_TEST_CASE(a_fiber_cannot_join_itself) {
    fiber f;
    f = fiber({"narcissus"}, [&] {
        BOOST_CHECK_EXCEPTION(f.join(), std::system_error, [](const std::system_error& e) {
            return e.code() == std::errc::resource_deadlock_would_occur &&
                   std::string(e.what()).find("narcissus") != std::string::npos;
        });
    });
    f.join();
}

FIBER_TEST_CASE(fibers_cannot_join_each_other) {
    fiber hen;
    fiber egg;
    std::string refused;
    hen = fiber({"hen"}, [&] { egg.join(); });
    egg = fiber({"egg"}, [&] {
        BOOST_CHECK_EXCEPTION(hen.join(), std::system_error, [&](const std::system_error& e) {
            refused = e.what();
            return e.code() == std::errc::resource_deadlock_would_occur;
        });
    });
    sleep_for(1h);  // a timer, with which there is no deadlock
    BOOST_TEST(refused.find("'egg' joins 'hen'") != std::string::npos);
    hen.join();
    BOOST_TEST(!egg.joinable());
}

FIBER_TEST_CASE(a_circle_of_joins_is_refused_however_long_it_is) {
    std::deque<fiber> ring(5);
    int refused = 0;
    for (std::size_t i = 0; i < 5; ++i) {
        ring[i] = fiber([&, i] {
            try {
                ring[(i + 1) % 5].join();
            } catch (const std::system_error& e) {
                BOOST_TEST((e.code() == std::errc::resource_deadlock_would_occur));
                ++refused;
            }
        });
    }
    sleep_for(1ms);
    BOOST_TEST(refused == 1);
    ring[0].join();
}

FIBER_TEST_CASE(one_whose_join_was_cancelled_may_be_joined_by_whom_it_joined) {
    fiber second;
    coir::cancel_scope scope;
    fiber first([&] {
        scope.run([&] { second.join(); });
        sleep_for(2ms);
    });
    second = fiber([&] {
        sleep_for(1ms);
        first.join();
    });
    yield();
    scope.cancel();
    second.join();
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(the_destructor_cancels_and_awaits) {
    bool cancelled = false;
    bool ended = false;
    {
        const fiber f([&] {
            try {
                sleep_for(1h);
            } catch (const coir::operation_cancelled&) {
                cancelled = true;
                coir::shield([] { sleep_for(2ms); });
                ended = true;
                throw;
            }
        });
        yield();
    }
    BOOST_TEST(cancelled);
    BOOST_TEST(ended);
    BOOST_TEST((coir::test::elapsed() == 2ms));
}

FIBER_TEST_CASE(the_destructor_awaits_even_if_the_caller_is_cancelled) {
    bool ended = false;
    coir::cancel_scope scope;
    scope.cancel();
    scope.run([&] {
        const fiber f([&] {
            coir::shield([] { sleep_for(2ms); });
            ended = true;
        });
    });
    BOOST_TEST(ended);
}

FIBER_TEST_CASE(the_destructor_awaits_during_unwinding) {
    bool ended = false;
    BOOST_CHECK_THROW(
        {
            const fiber f([&] {
                coir::shield([] { sleep_for(2ms); });
                ended = true;
            });
            throw std::runtime_error("unwinds");
        },
        std::runtime_error);
    BOOST_TEST(ended);
}

FIBER_TEST_CASE(what_escapes_a_fiber_whose_handle_is_destroyed_is_logged_with_its_name) {
    const captured_log log;
    {
        const fiber f({"clumsy"}, [] { throw std::runtime_error("dropped"); });
    }
    BOOST_TEST(log.messages() == 1U);
    BOOST_TEST(log.has("clumsy"));
    BOOST_TEST(log.has("dropped"));
}

FIBER_TEST_CASE(what_escapes_a_detached_fiber_is_logged_with_its_name) {
    const captured_log log;
    fiber early({"early"}, [] { throw std::runtime_error("one"); });
    early.detach();
    BOOST_TEST(!early.joinable());
    fiber late({"late"}, [] { throw std::runtime_error("two"); });
    yield();
    BOOST_TEST(log.messages() == 1U);
    late.detach();  // it has ended
    BOOST_TEST(log.messages() == 2U);
    BOOST_TEST(log.has("'early'"));
    BOOST_TEST(log.has("'late'"));
}

FIBER_TEST_CASE(a_cancelled_detached_fiber_is_not_logged) {
    const captured_log log;
    {
        const fiber f([] { sleep_for(1h); });
        yield();
    }
    BOOST_TEST(log.messages() == 0U);
}

FIBER_TEST_CASE(a_handle_moves) {
    bool ran = false;
    fiber a([&] { ran = true; });
    const fiber::id id = a.get_id();
    fiber b(std::move(a));
    BOOST_TEST(!a.joinable());  // NOLINT(bugprone-use-after-move): what a moved-from handle is
    BOOST_TEST((b.get_id() == id));
    fiber c;
    c = std::move(b);
    BOOST_TEST((c.get_id() == id));
    swap(a, c);
    a.join();
    BOOST_TEST(ran);
}

FIBER_TEST_CASE(an_assignment_cancels_and_awaits_the_fiber_that_is_overwritten) {
    bool first_ended = false;
    fiber f([&] {
        try {
            sleep_for(1h);
        } catch (...) {
            first_ended = true;
            throw;
        }
    });
    yield();
    f = fiber([] {});
    BOOST_TEST(first_ended);
    f.join();
    BOOST_TEST((coir::test::elapsed() == 0ms));
}

FIBER_TEST_CASE(callable_and_arguments_are_moved_or_copied_in) {
    std::string result;
    const std::string copied = "copied";
    auto moved = std::make_unique<int>(7);
    fiber f([&](const std::string& text,
                std::unique_ptr<int> number) { result = text + std::to_string(*number); },
            copied, std::move(moved));
    f.join();
    BOOST_TEST(result == "copied7");
    fiber g(take_number, 5);
    g.join();
    BOOST_TEST(last_argument == 5);
    struct object {
        void set(int v) { value = v; }
        int value = 0;
    } thing;
    fiber h(&object::set, &thing, 9);
    h.join();
    BOOST_TEST(thing.value == 9);
}

FIBER_TEST_CASE(the_callable_is_destroyed_on_the_fiber_before_join_returns) {
    fiber::id destroyed_on;
    auto guard =
        std::shared_ptr<void>(nullptr, [&](void*) { destroyed_on = coir::this_fiber::get_id(); });
    fiber f([held = std::move(guard)] {});
    const fiber::id id = f.get_id();
    f.join();
    BOOST_TEST((destroyed_on == id));
}

FIBER_TEST_CASE(a_destructor_of_the_callable_may_wait) {
    struct waits_at_end {
        explicit waits_at_end(bool& f) : flag(&f) {}
        waits_at_end(waits_at_end&& other) noexcept : flag(std::exchange(other.flag, nullptr)) {}
        ~waits_at_end() {
            if (flag != nullptr) {
                sleep_for(2ms);
                *flag = true;
            }
        }
        void operator()() const {}
        bool* flag;
    };
    bool waited = false;
    fiber f(waits_at_end{waited});
    f.join();
    BOOST_TEST(waited);
}

FIBER_TEST_CASE(a_large_callable_is_carried) {
    struct large {
        char data[5000] = {};
    };
    auto block = std::make_unique<large>();
    block->data[4999] = 'x';
    char seen = 0;
    fiber f([copy = *block, &seen] { seen = copy.data[4999]; });
    f.join();
    BOOST_TEST(seen == 'x');
}

FIBER_TEST_CASE(two_fibers_wait_for_a_third) {
    coir::wait_queue queue;
    fiber third([&] { queue.park(); });
    int joined = 0;
    fiber waits_by_join([&] {
        third.join();
        ++joined;
    });
    yield();
    queue.unpark_one();
    waits_by_join.join();
    BOOST_TEST(joined == 1);
}

FIBER_TEST_CASE(ids_print_compare_and_hash) {
    fiber a([] {});
    fiber b([] {});
    std::ostringstream out;
    out << a.get_id();
    BOOST_TEST(out.str() == std::to_string(a.get_id().value()));
    BOOST_TEST((a.get_id() < b.get_id() || b.get_id() < a.get_id()));
    const std::unordered_set<fiber::id> ids{a.get_id(), b.get_id(), fiber::id()};
    BOOST_TEST(ids.size() == 3U);
    a.join();
    b.join();
}

BOOST_AUTO_TEST_SUITE_END()
