// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "reactor/io_interest.hpp"
#include "reactor/reactor.hpp"

#include <coir/deadline.hpp>
#include <coir/wait_queue.hpp>

namespace coir::test {

// Waits of the calling fiber in its carrier's reactor.
inline detail::io_result wait_for(int descriptor, detail::direction what,
                                  detail::descriptor_kind kind,
                                  deadline until = deadline::never()) {
    const detail::io_interest interest{descriptor, what, kind};
    return detail::reactor::current()->wait_any(&interest, 1, until, cancellable::yes);
}

// For descriptors of ours.
inline detail::io_result wait_readable(int descriptor, deadline until = deadline::never()) {
    return wait_for(descriptor, detail::direction::read, detail::descriptor_kind::owned, until);
}
inline detail::io_result wait_writable(int descriptor, deadline until = deadline::never()) {
    return wait_for(descriptor, detail::direction::write, detail::descriptor_kind::owned, until);
}

}  // namespace coir::test
