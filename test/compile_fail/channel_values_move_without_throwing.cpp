// SPDX-License-Identifier: BSL-1.0
// A move that throws would lose a value half-way.
// expect: must move without throwing
#include <coir/sync/channel.hpp>

struct value {
    value() = default;
#ifdef CONTROL
    value(value&&) noexcept {}
#else
    value(value&&) {}
#endif
};

coir::channel<value> values(1);
