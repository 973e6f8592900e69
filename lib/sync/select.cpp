// SPDX-License-Identifier: BSL-1.0
//
// A select is one waiter in several queues, as Go's is. All locks of its channels are held while it
// looks which case could happen, and while it steps into the queues; so a partner that comes either
// is seen, or sees it. Two threads that each hold one lock and want the other's cannot be: locks
// are taken in the order of their addresses, and each one once, however many cases share it.
//
// At most one of the two partners of a hand-over is parked, and the other holds the lock. So a
// single claim, of the parked one, commits both. There is no moment at which two selects would have
// to be claimed together, which is what makes a select without such locks hard. A select cannot
// meet itself either: it looks for partners before it stands in any queue.
//
// Rejected: stepping into the queues one lock at a time. A select then has to claim itself to take
// a case that became possible meanwhile, and to start again if that case's partner was lost.
#include <coir/sync/select.hpp>

#include "core/waiter.hpp"
#include "sync/future_state.hpp"
#include "sync/locked_word.hpp"

#include <coir/cancellation.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

namespace coir::detail {

namespace {

// The locks of some places, each once.
class ordered_locks {
public:
    ordered_locks(wait_place** places, std::size_t count) noexcept
        : places_(places), count_(count) {
        std::sort(places_, places_ + count_, [](const wait_place* a, const wait_place* b) {
            return std::less<>()(a->lock_address(), b->lock_address());
        });
    }

    void lock() {
        for_each_lock([](wait_place& place) { place.lock(); });
    }
    void unlock() {
        for_each_lock([](wait_place& place) { place.unlock(); });
    }

private:
    template <class F>
    void for_each_lock(F use) {
        const void* last = nullptr;
        for (std::size_t i = 0; i < count_; ++i) {
            const void* const address = places_[i]->lock_address();
            if (std::exchange(last, address) != address) {
                use(*places_[i]);
            }
        }
    }

    wait_place** places_;
    std::size_t count_;
};

// xorshift32: what decides between ready cases must be cheap and unbiased, nothing more. Each
// thread starts from the same seed, so that a program on virtual time repeats itself.
std::size_t random_below(std::size_t bound) noexcept {
    static constinit thread_local std::uint32_t state = 2463534242U;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return static_cast<std::size_t>(std::uint64_t{state} * bound >> 32);
}

void shuffle(select_entry* cases, std::size_t count) noexcept {
    for (std::size_t i = count; i > 1; --i) {
        std::swap(cases[i - 1], cases[random_below(i)]);
    }
}

}  // namespace

publication_case::publication_case(future_state& of) noexcept
    : select_case(of.waiting(), of.lock()), of_(of) {}

attempt publication_case::try_now() noexcept {
    return of_.published() ? attempt::done : attempt::not_now;
}

event_passage::event_passage(event& of) noexcept : select_case(of.waiting_, of.state_), of_(of) {}

attempt event_passage::try_now() noexcept {
    return of_.pass_locked() ? attempt::done : attempt::not_now;
}

std::size_t select_among(select_entry* cases, wait_place** places, std::size_t count, bool may_wait,
                         deadline until, std::size_t none) {
    check_cancelled();
    for (std::size_t i = 0; i < count; ++i) {
        places[i] = cases[i].what;
    }
    ordered_locks locks(places, count);
    // All in random order: where several cases could happen, each is as likely as the others.
    shuffle(cases, count);
    locks.lock();
    for (std::size_t i = 0; i < count;) {
        switch (cases[i].what->try_now()) {
            case attempt::not_now: ++i; break;
            case attempt::done:
                locks.unlock();
                cases[i].what->complete();
                spend_budget();
                return cases[i].number;
            case attempt::needs_memory:
                locks.unlock();
                cases[i].what->provide_memory();
                locks.lock();
                i = 0;  // others may have become possible, and this one impossible
        }
    }
    if (!may_wait) {
        locks.unlock();
        spend_budget();
        return none;
    }
    const wait_label what{"a select of several cases:", static_cast<long>(count), true};
    switch (wait_queue::park_in_all(places, count, locks, until, what)) {
        case wait_status::notified: break;
        case wait_status::timed_out: return none;
        case wait_status::cancelled: throw operation_cancelled();
    }
    const auto* const notified = std::find_if(
        cases, cases + count, [](const select_entry& one) { return one.what->was_notified(); });
    return notified->number;
}

}  // namespace coir::detail
