// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/wait.hpp>

#include "core/waiter.hpp"
#include "sync/future_state.hpp"

#include <coir/sync/detail/select_run.hpp>

#include <algorithm>
#include <deque>
#include <stdexcept>

namespace coir::detail {

namespace {

// Waits for one more of them. False if `until` has passed. Its cost grows with their number, and so
// does what it holds of locks: it is a select.
bool wait_for_any(const std::vector<future_state*>& pending, deadline until) {
    std::deque<publication_case> cases;  // which stay where they are
    std::vector<select_entry> entries;
    for (future_state* const one : pending) {
        entries.push_back({&cases.emplace_back(*one), entries.size()});
    }
    std::vector<wait_place*> places(entries.size());
    const std::size_t none = entries.size();
    return select_among(entries.data(), places.data(), entries.size(), true, until, none) != none;
}

}  // namespace

void wait_for_several(const std::vector<future_state*>& states, wait_policy policy,
                      deadline until) {
    if (states.empty()) {
        throw std::invalid_argument("coir::wait: there is nothing to wait for");
    }
    check_cancelled();
    switch (policy) {
        case wait_policy::all_completed:
            // One after the other: all are needed, whatever their order.
            std::all_of(states.begin(), states.end(),
                        [&](future_state* one) { return one->wait(until); });
            return;
        case wait_policy::first_completed: wait_for_any(states, until); return;
        case wait_policy::first_exception: break;
    }
    std::vector<future_state*> pending = states;
    for (;;) {
        bool failed = false;
        const auto is_over = [&failed](future_state* one) {
            failed = failed || one->failed();
            return one->ready();
        };
        pending.erase(std::remove_if(pending.begin(), pending.end(), is_over), pending.end());
        if (failed || pending.empty() || !wait_for_any(pending, until)) {
            return;
        }
    }
}

}  // namespace coir::detail
