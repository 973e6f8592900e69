// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/interpose.hpp"

#include <stdio.h>
#include <cstdint>

namespace coir::hook::detail {

// A stream that a fiber of this thread holds. Noted by the thread: its fibers alone need to know,
// and other threads are kept out by libc's lock of the stream.
struct held_stream {
    FILE* stream = nullptr;
    std::uint64_t fiber = 0;
    unsigned depth = 0;
    held_stream* next = nullptr;
    bool is_allocated = false;
};

// The caller's, for as long as it lives; it may park meanwhile. Nobody else is in a call on the
// stream then, be it a fiber or a thread.
//
// libc's lock of a stream belongs to a thread, and is recursive. A fiber that parks in the middle
// of a call would let in every other fiber of its thread; and one that finds the stream locked by
// another thread would block its own. So libc's lock is only tried for, and what fibers hold is
// noted besides: see lock_line.hpp for how they wait. To get it is no cancellation point.
//
// Where the program has said that it locks by itself (__fsetlocking), nothing is done.
class stream_hold {
public:
    explicit stream_hold(FILE* stream) noexcept;
    stream_hold(const stream_hold&) = delete;
    stream_hold& operator=(const stream_hold&) = delete;
    ~stream_hold();

    enum class attempt : std::uint8_t { only };

    // It is the caller's if it could be had at once.
    stream_hold(FILE* stream, attempt) noexcept;
    explicit operator bool() const noexcept { return how_ != kind::none; }

private:
    enum class kind : std::uint8_t { none, left_to_program, of_thread, of_fiber };

    FILE* const stream_;
    kind how_ = kind::none;
    held_stream note_;
};

}  // namespace coir::hook::detail
