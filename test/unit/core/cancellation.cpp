// SPDX-License-Identifier: BSL-1.0
#include <coir/cancellation.hpp>

#include "core/scope.hpp"
#include "core/waiter.hpp"
#include "support/fiber_test.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>
#include <coir/wait_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

using coir::cancel_scope;
using coir::fiber;
using coir::operation_cancelled;
using coir::shield;
using coir::test::elapsed;
using namespace std::chrono_literals;
using coir::this_fiber::check_cancelled;
using coir::this_fiber::sleep_for;
using coir::this_fiber::yield;

BOOST_AUTO_TEST_SUITE(cancellation)

BOOST_AUTO_TEST_CASE(operation_cancelled_is_no_std_exception) {
    static_assert(!std::is_base_of_v<std::exception, operation_cancelled>);
    BOOST_TEST(std::string(operation_cancelled().what()).find("cancelled") != std::string::npos);
}

FIBER_TEST_CASE(a_scope_that_nobody_cancels_returns_true) {
    cancel_scope scope;
    bool ran = false;
    BOOST_TEST(scope.run([&] {
        yield();
        ran = true;
    }));
    BOOST_TEST(ran);
    BOOST_TEST(!scope.cancel_requested());
}

FIBER_TEST_CASE(a_cancelled_scope_ends_a_wait_and_absorbs_it) {
    cancel_scope scope;
    bool went_on = false;
    fiber waiting([&] {
        BOOST_TEST(!scope.run([] { sleep_for(1h); }));
        sleep_for(1ms);  // the scope has been left
        went_on = true;
    });
    yield();
    scope.cancel();
    waiting.join();
    BOOST_TEST(went_on);
    BOOST_TEST(scope.cancel_requested());
    BOOST_TEST((elapsed() == 1ms));
}

FIBER_TEST_CASE(cancellation_is_level_triggered) {
    cancel_scope scope;
    int thrown = 0;
    BOOST_TEST(scope.run([&] {
        scope.cancel();
        for (int i = 0; i < 5; ++i) {
            try {
                sleep_for(1h);
            } catch (const operation_cancelled&) {
                ++thrown;
            }
        }
    }));
    BOOST_TEST(thrown == 5);
}

FIBER_TEST_CASE(a_catch_of_std_exception_does_not_swallow_it) {
    cancel_scope scope;
    scope.cancel();
    bool swallowed = false;
    BOOST_TEST(!scope.run([&] {
        try {
            yield();
        } catch (const std::exception&) {
            swallowed = true;
        }
    }));
    BOOST_TEST(!swallowed);
}

FIBER_TEST_CASE(a_body_that_ends_without_waiting_has_ended) {
    cancel_scope scope;
    BOOST_TEST(scope.run([&] { scope.cancel(); }));
}

FIBER_TEST_CASE(a_scope_that_was_cancelled_before_it_is_entered_cancels_the_first_wait) {
    cancel_scope scope;
    scope.cancel();
    bool entered = false;
    BOOST_TEST(!scope.run([&] {
        entered = true;
        yield();
    }));
    BOOST_TEST(entered);
}

FIBER_TEST_CASE(an_inner_scope_absorbs_only_its_own_cancellation) {
    cancel_scope outer;
    cancel_scope inner;
    bool after_inner = false;
    BOOST_TEST(outer.run([&] {
        BOOST_TEST(!inner.run([&] {
            inner.cancel();
            yield();
        }));
        yield();
        after_inner = true;
    }));
    BOOST_TEST(after_inner);
}

FIBER_TEST_CASE(a_cancellation_of_the_outer_scope_passes_through_the_inner) {
    cancel_scope outer;
    cancel_scope inner;
    bool after_inner = false;
    BOOST_TEST(!outer.run([&] {
        inner.run([&] {
            outer.cancel();
            yield();
        });
        after_inner = true;
    }));
    BOOST_TEST(!after_inner);
    BOOST_TEST(!inner.cancel_requested());
}

FIBER_TEST_CASE(where_both_scopes_are_cancelled_the_outer_absorbs) {
    cancel_scope outer;
    cancel_scope inner;
    bool after_inner = false;
    BOOST_TEST(!outer.run([&] {
        inner.run([&] {
            inner.cancel();
            outer.cancel();
            yield();
        });
        after_inner = true;
    }));
    BOOST_TEST(!after_inner);
}

FIBER_TEST_CASE(a_scope_entered_in_a_cancelled_one_is_cancelled) {
    cancel_scope outer;
    outer.cancel();
    BOOST_TEST(!outer.run([&] {
        cancel_scope inner;
        inner.run([] { sleep_for(1h); });
        BOOST_TEST(false, "the inner scope has absorbed what was aimed at the outer one");
    }));
}

FIBER_TEST_CASE(other_exceptions_pass_through_a_cancelled_scope) {
    cancel_scope scope;
    scope.cancel();
    BOOST_CHECK_THROW(scope.run([] {
        try {
            yield();
        } catch (const operation_cancelled&) {
            throw std::runtime_error("instead");
        }
    }),
                      std::runtime_error);
}

FIBER_TEST_CASE(a_scope_may_be_entered_again_but_not_twice_at_once) {
    cancel_scope scope;
    BOOST_TEST(scope.run([&] {
        BOOST_CHECK_THROW(scope.run([] {}), std::logic_error);
        yield();
    }));
    BOOST_TEST(scope.run([] { yield(); }));
    scope.cancel();
    BOOST_TEST(!scope.run([] { yield(); }));
    BOOST_TEST(!scope.run([] { yield(); }));
}

FIBER_TEST_CASE(a_shield_keeps_a_cancellation_out_until_its_end) {
    cancel_scope scope;
    bool cleaned_up = false;
    BOOST_TEST(!scope.run([&] {
        scope.cancel();
        shield([&] {
            sleep_for(2ms);
            cleaned_up = true;
        });
        check_cancelled();
        BOOST_TEST(false, "the shield has swallowed the cancellation");
    }));
    BOOST_TEST(cleaned_up);
    BOOST_TEST((elapsed() == 2ms));
}

FIBER_TEST_CASE(a_cancellation_that_comes_during_a_shielded_wait_does_not_end_it) {
    cancel_scope scope;
    bool cleaned_up = false;
    fiber f([&] {
        BOOST_TEST(!scope.run([&] {
            shield([&] {
                sleep_for(5ms);
                cleaned_up = true;
            });
            yield();
        }));
    });
    sleep_for(1ms);
    scope.cancel();
    f.join();
    BOOST_TEST(cleaned_up);
    BOOST_TEST((elapsed() == 5ms));
}

FIBER_TEST_CASE(a_scope_inside_a_shield_still_works) {
    cancel_scope outer;
    outer.cancel();
    BOOST_TEST(!outer.run([&] {
        shield([] {
            cancel_scope inner;
            inner.cancel();
            BOOST_TEST(!inner.run([] { yield(); }));
            BOOST_CHECK_THROW(coir::with_timeout(1ms, [] { sleep_for(1h); }), coir::timed_out);
        });
        yield();
    }));
}

FIBER_TEST_CASE(a_shield_hands_results_and_exceptions_out) {
    BOOST_TEST(shield([] { return 7; }) == 7);
    int variable = 0;
    BOOST_TEST(&shield([&]() -> int& { return variable; }) == &variable);
    BOOST_TEST(*shield([] { return std::make_unique<int>(3); }) == 3);
    BOOST_CHECK_THROW(shield([] { throw std::runtime_error("through"); }), std::runtime_error);
}

FIBER_TEST_CASE(a_scope_is_cancelled_while_its_fiber_is_ready) {
    cancel_scope scope;
    bool past_yield = false;
    fiber f([&] {
        BOOST_TEST(!scope.run([&] {
            yield();
            past_yield = true;
            yield();
        }));
    });
    yield();
    scope.cancel();
    f.join();
    BOOST_TEST(past_yield);
}

FIBER_TEST_CASE(a_fiber_that_is_cancelled_before_it_starts_ends_at_its_first_wait) {
    bool started = false;
    bool waited = false;
    fiber f([&] {
        started = true;
        sleep_for(1h);
        waited = true;
    });
    f.cancel();
    f.join();
    BOOST_TEST(started);
    BOOST_TEST(!waited);
}

FIBER_TEST_CASE(a_fiber_may_cancel_itself) {
    fiber f;
    bool waited = false;
    f = fiber([&] {
        f.cancel();
        yield();
        waited = true;
    });
    f.join();
    BOOST_TEST(!waited);
}

FIBER_TEST_CASE(a_cancellation_stops_at_the_fiber_it_was_aimed_at) {
    bool child_ended = false;
    fiber parent([&] {
        fiber child([&] {
            try {
                sleep_for(1h);
            } catch (const operation_cancelled&) {
                child_ended = true;
                throw;
            }
        });
        yield();
        child.cancel();
        child.join();  // normally
        yield();
    });
    parent.join();
    BOOST_TEST(child_ended);
}

// A plain fiber is not the child of the scope in which it was spawned; only groups are.
FIBER_TEST_CASE(a_scope_does_not_reach_fibers_spawned_in_it) {
    cancel_scope scope;
    fiber f;
    bool slept = false;
    scope.run([&] {
        f = fiber([&] {
            sleep_for(1ms);
            slept = true;
        });
        scope.cancel();
    });
    f.join();
    BOOST_TEST(slept);
}

FIBER_TEST_CASE(a_very_deep_nest_of_scopes_is_cancelled) {
    struct nest {
        static void go(int depth) {
            if (depth == 0) {
                sleep_for(1h);
            }
            cancel_scope inner;
            inner.run([&] { go(depth - 1); });
            BOOST_TEST(false, "an inner scope has absorbed it");
        }
    };
    cancel_scope outer;
    fiber f({"deep", 8 * 1024 * 1024}, [&] { BOOST_TEST(!outer.run([] { nest::go(500); })); });
    yield();
    outer.cancel();
    f.join();
}

// Scopes of groups are nobody's innermost: they are made and go in any order.
FIBER_TEST_CASE(a_group_scope_that_outlives_the_scope_it_was_made_in_moves_up) {
    coir::detail::scope group;
    cancel_scope outer;
    outer.run([&] {
        cancel_scope inner;
        inner.run([&] { group.attach(coir::detail::innermost_scope(), nullptr); });
        BOOST_TEST((group.effective() == coir::detail::cancel_cause::none));
        outer.cancel();
        BOOST_TEST((group.effective() == coir::detail::cancel_cause::requested));
    });
    group.detach();
}

FIBER_TEST_CASE(group_scopes_leave_the_tree_in_any_order) {
    cancel_scope outer;
    outer.run([&] {
        coir::detail::scope a;
        coir::detail::scope b;
        coir::detail::scope c;
        for (auto* one : {&a, &b, &c}) {
            one->attach(coir::detail::innermost_scope(), nullptr);
        }
        b.detach();
        outer.cancel();
        BOOST_TEST((a.effective() == coir::detail::cancel_cause::requested));
        BOOST_TEST((b.effective() == coir::detail::cancel_cause::none));
        BOOST_TEST((c.effective() == coir::detail::cancel_cause::requested));
        c.detach();
        a.detach();
    });
}

FIBER_TEST_CASE(a_libc_shaped_call_tells_a_request_from_a_deadline) {
    cancel_scope requested;
    requested.cancel();
    BOOST_TEST(requested.run([] {
        BOOST_TEST(coir::detail::cancellation_pending());
        BOOST_TEST(coir::detail::cancellation_errno() == ECANCELED);
    }));
    BOOST_CHECK_THROW(
        coir::with_timeout(1ms,
                           [] {
                               coir::wait_queue().park();
                               BOOST_TEST(coir::detail::cancellation_errno() == ETIMEDOUT);
                           }),
        coir::timed_out);
}

FIBER_TEST_CASE(the_outermost_cause_is_what_a_libc_shaped_call_reports) {
    cancel_scope outer;
    BOOST_TEST(!outer.run([&] {
        coir::try_for(1ms, [&] {
            coir::wait_queue().park();  // the deadline
            outer.cancel();
            BOOST_TEST(coir::detail::cancellation_errno() == ECANCELED);
        });
        yield();
    }));
}

BOOST_AUTO_TEST_SUITE_END()
