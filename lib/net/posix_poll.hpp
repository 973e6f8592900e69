// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/signal_line.hpp"

#include <coir/deadline.hpp>

#include <poll.h>
#include <signal.h>

namespace coir::detail {

// What poll, ppoll, select and pselect come down to in a fiber or a scope. In a fiber the kernel is
// asked with no timeout, then the fiber parks until one descriptor may be ready, then the kernel is
// asked again for the events. @returns what poll(2) does. `waited` tells whether the fiber parked.
// The watch is that of the whole call, which may poll several times.
int poll_until(pollfd* fds, nfds_t count, deadline until, const sigset_t* mask, bool& waited,
               signal_watch& watch) noexcept;

}  // namespace coir::detail
