// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/inbox.hpp"

#include <coir/export.hpp>
#include <coir/wait_queue.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace coir::detail {

class scheduler;

// Which handlers of signals end a wait with EINTR: signal(7).
enum class ended_by : std::uint8_t {
    no_handler,
    handlers_without_restart,  // those that were installed without SA_RESTART
    any_handler,
};

// By such handlers; there is nothing for no_handler.
template <class T>
class by_handlers {
public:
    T& operator[](ended_by which) noexcept { return values_[index(which)]; }
    const T& operator[](ended_by which) const noexcept { return values_[index(which)]; }

private:
    static constexpr std::size_t index(ended_by which) noexcept {
        return which == ended_by::any_handler ? 1 : 0;
    }
    std::array<T, 2> values_{};
};

// How many such handlers have run on the calling thread; it wraps.
std::uint32_t handlers_run(ended_by which) noexcept;

// The fibers of a carrier that wait in calls of libc's shape. A handler may have interrupted
// anything, so it is only counted, and the line is woken through the carrier's inbox; who is woken
// compares the counts.
//
// Counts are what ends a wait, and not the waking: who has begun to wait after the handler was
// counted, and before the line was woken, has slept for nothing and goes on, as a thread does that
// enters the kernel after the handler. For nobody is the handler lost in between.
//
// The carriers of a run stand for one thread: all but the one that run() was called on block every
// signal, and their fibers would never learn of any. So a carrier on which a handler has run tells
// the others, where it counts as if it had run there.
//
// Used by its own thread alone, of which a handler is a part, but for tell().
class signal_line {
public:
    explicit signal_line(scheduler& home) noexcept : home_(home) {}
    signal_line(const signal_line&) = delete;
    signal_line& operator=(const signal_line&) = delete;

    // A handler was counted. Async-signal-safe; keeps errno.
    void wake_soon() noexcept;

    // Another carrier: such a handler has run there.
    void tell(ended_by which) noexcept;

    // Where those wait that such a handler ends. Not for no_handler.
    wait_queue& queue(ended_by which) noexcept { return queues_[which]; }

    // The same for who stands in other places, too.
    void enter(wait_node& node, ended_by which) noexcept;

private:
    struct delivery : inbox_item {
        explicit delivery(signal_line& l) noexcept : inbox_item(deliver_to_line), line(l) {}
        signal_line& line;
    };

    static void deliver_to_line(inbox_item& item) noexcept;
    void deliver() noexcept;
    void tell_others(ended_by which) noexcept;

    scheduler& home_;
    by_handlers<std::uint32_t> woken_for_;  // the counts when the queues were woken last
    by_handlers<wait_queue> queues_;
    by_handlers<std::atomic<bool>> told_;
    static_assert(std::atomic<bool>::is_always_lock_free);
    std::atomic<bool> on_its_way_{false};
    delivery delivery_{*this};
};

// What one call of libc's shape knows of signals: whether a handler has run, since it first had to
// wait, that ends it.
class signal_watch {
public:
    // Before the first wait of the call; later ones change nothing.
    COIR_API void begin() noexcept;

    COIR_API bool is_over(ended_by which) const noexcept;

    // Parks the calling fiber until the deadline; `notified`: is_over() may have changed. After
    // begin(). A plain thread waits to the end.
    COIR_API wait_status park(ended_by which, deadline until, const wait_label& label) noexcept;

    // Where a fiber is to stand while the call waits; null on a plain thread.
    COIR_API wait_queue* queue(ended_by which) const noexcept;

private:
    signal_line* line_ = nullptr;
    bool begun_ = false;
    by_handlers<std::uint32_t> run_before_;
};

// Whether anybody counts handlers, so that a wait for nothing else can end by a signal.
bool handlers_are_counted() noexcept;

}  // namespace coir::detail
