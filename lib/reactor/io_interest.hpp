// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/wait_queue.hpp>

#include <cstdint>

namespace coir::detail {

enum class direction : std::uint8_t { read, write };

// Whose a descriptor is decides how long the kernel may know of it.
enum class descriptor_kind : std::uint8_t {
    owned,    // a coir socket's: registered once, for its whole life, and closed through forget()
    foreign,  // the program's: may be closed and reused behind our back, registered for one wait
};

// Who waits for what a poller's descriptor has to tell.
enum class watched_by : std::uint8_t {
    itself,        // its carrier alone, in poller::wait()
    another_loop,  // the event loop of a host, on the carrier's thread, by the descriptor
};

// A set of directions.
struct direction_set {
    bool read = false;
    bool write = false;
    friend bool operator==(direction_set a, direction_set b) noexcept {
        return a.read == b.read && a.write == b.write;
    }
};

// One thing to wait for.
struct io_interest {
    int descriptor;
    direction what;
    descriptor_kind kind;
};

// How a wait for a descriptor ended: notified with error 0 means ready; an error (an errno: EBADF
// for a descriptor closed under the waiter, ENOSPC, ENOMEM) means that waiting was not possible.
struct io_result {
    wait_status status;
    int error;
    bool ready() const noexcept { return status == wait_status::notified && error == 0; }
};

}  // namespace coir::detail
