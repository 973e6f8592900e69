// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "reactor/completions.hpp"
#include "reactor/io_interest.hpp"

#include <coir/deadline.hpp>
#include <coir/run_options.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace coir::detail {

// Which descriptor an event is about. The generation tells a descriptor from an earlier one with
// the same number, whose late events must wake nobody.
struct poller_key {
    int descriptor;
    std::uint32_t generation;
};

struct poller_event {
    poller_key key;
    bool readable;  // a read would not block: data, an end or an error
    bool writable;  // a write would not block: room or an error
    bool ended;     // no more will arrive: reads never block again
    bool failed;    // error or hang-up: nothing blocks again
    bool invalid;   // the descriptor is not open
};

// The kernel's readiness call. A backend is one file; what is the same for all is the reactor's.
//
// There are two ways to be interested. *Standing* interest is for descriptors of our own, where the
// backend offers it: asked for once, in both directions, and reported when readiness comes, not
// while it lasts (edge-triggered). *One-shot* interest is for everything else: an event takes all
// of a descriptor's interest back, and who still waits asks again. So nothing is reported over and
// over to nobody.
class poller {
public:
    virtual ~poller() = default;

    virtual const char* name() const noexcept = 0;

    // Whether set_standing() can be used.
    virtual bool has_standing_interest() const noexcept = 0;
    virtual int set_standing(poller_key key) noexcept = 0;

    // Replaces a descriptor's one-shot interest; none takes it back, and standing interest, too.
    // Both return 0 or an errno: EPERM where readiness has no meaning (regular files).
    virtual int set_one_shot(poller_key key, direction_set wanted) noexcept = 0;

    // The same for a descriptor that has interest of that kind already. False: the number's file is
    // not the one that has it, or the number is not open. A backend that watches numbers, not
    // files, cannot tell. An edge may be reported once more.
    virtual bool renew_standing(poller_key key) noexcept = 0;
    virtual bool renew_one_shot(poller_key key, direction_set wanted) noexcept = 0;

    // A descriptor of ours is about to be closed.
    virtual void forget(int descriptor) noexcept = 0;

    // Where the backend makes calls for fibers; null: it tells of readiness, and that is all.
    virtual completion_port* completions() noexcept { return nullptr; }

    // Blocks until there is an event, the end of an operation, a wake-up, or `until` has passed;
    // may return early.
    // @returns how many events it has written.
    virtual std::size_t wait(deadline until, poller_event* events,
                             std::size_t capacity) noexcept = 0;

    // Tells the kernel what it may not know yet, as wait() does. Before another event loop waits
    // for descriptor().
    virtual void submit() noexcept {}

    // A descriptor that becomes readable when wait() would return: how another event loop can watch
    // this one. -1 where the kernel has none.
    virtual int descriptor() const noexcept { return -1; }

    // Any thread: makes wait() return, now or the next time.
    virtual void wake() noexcept = 0;
};

// Makes the backend that the environment variable COIR_REACTOR names, else the one asked for. Where
// there is no io_uring it says so in the log, once for each reason, and makes epoll's. Throws
// std::invalid_argument for a name that is none, std::system_error where the kernel refuses.
std::unique_ptr<poller> make_poller(reactor_kind kind, watched_by watcher = watched_by::itself);
std::unique_ptr<poller> make_poll_poller();
#ifdef __linux__
std::unique_ptr<poller> make_epoll_poller();
#endif
#ifdef COIR_HAS_IO_URING
std::unique_ptr<poller> make_uring_poller(watched_by watcher = watched_by::itself);
#endif

}  // namespace coir::detail
