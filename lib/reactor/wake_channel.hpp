// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/own_descriptor.hpp"

namespace coir::detail {

// A descriptor that any thread can make readable: an eventfd where there is one, else a pipe.
class wake_channel {
public:
    wake_channel();  // throws std::system_error

    int descriptor() const noexcept { return read_end_.get(); }

    // Any thread, also in a signal handler. Makes the descriptor readable; keeps errno.
    void raise() noexcept;

    // Makes it unreadable again.
    void clear() noexcept;

private:
    own_descriptor read_end_;
    own_descriptor write_end_;  // empty: the eventfd is both
};

}  // namespace coir::detail
