// SPDX-License-Identifier: BSL-1.0
#include "hook/stream_hold.hpp"

#include "hook/lock_line.hpp"
#include "hook/lock_owner.hpp"
#include "hook/stream_buffer.hpp"

#include <pthread.h>
#include <cerrno>
#include <new>

namespace coir::hook::detail {

namespace {

using coir::detail::calling_fiber;

// Those that fibers of this thread hold. Fibers do not change threads.
constinit thread_local held_stream* held_here [[gnu::tls_model("initial-exec")]] = nullptr;

held_stream* find(FILE* stream) noexcept {
    held_stream* one = held_here;
    while (one != nullptr && one->stream != stream) {
        one = one->next;
    }
    return one;
}

void note(held_stream& mine, FILE* stream, const calling_fiber& self) noexcept {
    mine.stream = stream;
    mine.fiber = self.id;
    mine.depth = 1;
    mine.next = held_here;
    held_here = &mine;
}

void forget(const held_stream& mine) noexcept {
    held_stream** link = &held_here;
    while (*link != nullptr && *link != &mine) {
        link = &(*link)->next;
    }
    if (*link != nullptr) {
        *link = mine.next;
    }
}

bool try_libc(FILE* stream) noexcept { return COIR_ORIGINAL(ftrylockfile)(stream) == 0; }

void release(FILE* stream) noexcept {
    COIR_ORIGINAL(funlockfile)(stream);
    call_line(stream);
}

class contended_stream final : public contended_lock {
public:
    explicit contended_stream(FILE* stream) noexcept
        : contended_lock(stream, use::one_at_a_time), stream_(stream) {}

    int attempt() noexcept override { return !is_held_here() && try_libc(stream_) ? 0 : EBUSY; }
    int attempt_for_a_moment() noexcept override { return attempt(); }
    bool is_held_here() const noexcept override { return find(stream_) != nullptr; }

    // A thread in a call on it releases it inside libc.
    bool may_be_released_unseen() const noexcept override { return true; }

    coir::wait_label label() const noexcept override {
        return {is_held_here() ? "a stream that another fiber uses" : "a stream"};
    }

private:
    FILE* const stream_;
};

// By a fiber that does not hold it. Not noted yet.
void lock(FILE* stream) noexcept {
    contended_stream wanted(stream);
    if (!line_is_empty(stream) || wanted.attempt() != 0) {
        get_in_line(wanted, time_limit());
    }
}

bool is_left_to_program(FILE* stream) noexcept { return has_flag(stream, _IO_USER_LOCK); }

// The child of a fork(2) has none of the fibers, and libc has unlocked all its streams.
[[gnu::constructor(102)]] void watch_forks() noexcept {
    ::pthread_atfork(nullptr, nullptr, [] { held_here = nullptr; });
}

}  // namespace

stream_hold::stream_hold(FILE* stream) noexcept : stream_(stream) {
    if (is_left_to_program(stream)) {
        how_ = kind::left_to_program;
        return;
    }
    const calling_fiber self = lock_caller();
    const held_stream* const holder = find(stream);
    if (!self.may_park || (holder != nullptr && holder->fiber == self.id)) {
        COIR_ORIGINAL(flockfile)(stream);
        how_ = kind::of_thread;
        return;
    }
    lock(stream);
    note(note_, stream, self);
    how_ = kind::of_fiber;
}

stream_hold::stream_hold(FILE* stream, attempt) noexcept : stream_(stream) {
    if (is_left_to_program(stream)) {
        how_ = kind::left_to_program;
        return;
    }
    const calling_fiber self = lock_caller();
    const held_stream* const holder = find(stream);
    if ((holder != nullptr && holder->fiber != self.id) || !try_libc(stream)) {
        return;
    }
    how_ = kind::of_thread;
    if (holder == nullptr && self.may_park) {
        note(note_, stream, self);
        how_ = kind::of_fiber;
    }
}

stream_hold::~stream_hold() {
    if (how_ == kind::of_fiber) {
        forget(note_);
    }
    if (how_ == kind::of_fiber || how_ == kind::of_thread) {
        release(stream_);
    }
}

}  // namespace coir::hook::detail

using namespace coir::hook::detail;

namespace {

// A note for what lasts longer than a call. Without memory for it the stream is the thread's.
void note_locked(FILE* stream, const coir::detail::calling_fiber& self) noexcept {
    if (held_stream* const holder = find(stream); holder != nullptr) {
        ++holder->depth;
    } else if (auto* const made = new (std::nothrow) held_stream; made != nullptr) {
        made->is_allocated = true;
        note(*made, stream, self);
    }
}

bool is_others(FILE* stream, const coir::detail::calling_fiber& self) noexcept {
    const held_stream* const holder = find(stream);
    return holder != nullptr && holder->fiber != self.id;
}

}  // namespace

COIR_HOOK void flockfile(FILE* stream) noexcept {
    const auto self = lock_caller();
    const held_stream* const holder = self.id != 0 ? find(stream) : nullptr;
    if (!self.may_park || (holder != nullptr && holder->fiber == self.id)) {
        COIR_ORIGINAL(flockfile)(stream);
    } else {
        lock(stream);
    }
    if (self.id != 0 && !is_others(stream, self)) {
        note_locked(stream, self);
    }
}

COIR_HOOK int ftrylockfile(FILE* stream) noexcept {
    const auto self = lock_caller();
    if (self.may_park && is_others(stream, self)) {
        spend_budget();  // a loop around this call must not keep the owner from running
        return -1;
    }
    const int result = COIR_ORIGINAL(ftrylockfile)(stream);
    if (result == 0 && self.id != 0 && !is_others(stream, self)) {
        note_locked(stream, self);
    }
    return result;
}

COIR_HOOK void funlockfile(FILE* stream) noexcept {
    const auto self = lock_caller();
    if (self.id != 0) {
        held_stream* const holder = find(stream);
        if (holder != nullptr && holder->fiber == self.id && --holder->depth == 0) {
            forget(*holder);
            if (holder->is_allocated) {
                delete holder;
            }
        }
    }
    release(stream);
}

COIR_HOOK [[gnu::alias("flockfile")]] void _IO_flockfile(FILE* stream) noexcept;
COIR_HOOK [[gnu::alias("ftrylockfile")]] int _IO_ftrylockfile(FILE* stream) noexcept;
COIR_HOOK [[gnu::alias("funlockfile")]] void _IO_funlockfile(FILE* stream) noexcept;
