// SPDX-License-Identifier: BSL-1.0
// How a wait ends before its time: by a timeout, by a cancellation, and what a fiber can do about
// it.
//
// Both follow scopes. What waits in a scope that is over throws, however deep it was called, until
// the scope has been left; nothing in between needs to pass timeouts on.
#include <chrono>
#include <coir/coir.hpp>
#include <iostream>
#include <optional>

using namespace std::chrono_literals;

// Stands for a call that takes far too long, deep in somebody's code.
int answer_of_everything() {
    coir::this_fiber::sleep_for(24h);
    return 42;
}

void with_timeout_throws() {
    try {
        coir::with_timeout(20ms, answer_of_everything);
    } catch (const coir::timed_out&) {
        std::cout << "with_timeout: the time is over" << std::endl;
    }
}

void try_for_returns_an_optional() {
    const std::optional<int> answer = coir::try_for(20ms, answer_of_everything);
    std::cout << "try_for: " << (answer ? "an answer" : "no answer in time") << std::endl;
}

// A timeout that is longer than the one around it changes nothing: the inner scope is not blamed
// for what ended the outer one.
void the_tightest_deadline_wins() {
    const bool in_time = coir::try_for(20ms, [] {
        try {
            coir::with_timeout(1h, answer_of_everything);
        } catch (const coir::timed_out&) {
            std::cout << "this is never printed: that hour is not over" << std::endl;
        }
    });
    std::cout << "nested: " << (in_time ? "in time" : "the outer timeout ended it") << std::endl;
}

void a_scope_is_cancelled_by_another_fiber() {
    coir::cancel_scope scope;
    coir::fiber impatient([&scope] {
        coir::this_fiber::sleep_for(20ms);
        scope.cancel();
    });
    const bool completed = scope.run([] { answer_of_everything(); });
    std::cout << "cancel_scope: " << (completed ? "completed" : "was cancelled") << std::endl;
    impatient.join();
}

// operation_cancelled is no std::exception, so that no catch-all for errors swallows it. Who
// catches it to clean up lets it pass afterwards. Cleanup that must wait does so in a shield:
// outside of it, every further wait would throw again at once.
void a_fiber_cleans_up() {
    coir::fiber worker([] {
        try {
            answer_of_everything();
        } catch (const coir::operation_cancelled&) {
            coir::shield([] { coir::this_fiber::sleep_for(20ms); });
            std::cout << "fiber: has cleaned up" << std::endl;
            throw;
        }
    });
    worker.cancel();
    worker.join();  // ends normally: the cancellation was aimed at the worker and stops there
    std::cout << "fiber: joined" << std::endl;
}

int main() {
    coir::run([] {
        with_timeout_throws();
        try_for_returns_an_optional();
        the_tightest_deadline_wins();
        a_scope_is_cancelled_by_another_fiber();
        a_fiber_cleans_up();
    });
}
