// SPDX-License-Identifier: BSL-1.0
// An lvalue is copied, and a std::unique_ptr cannot be.
// expect: no matching function
#include <coir/sync/channel.hpp>

#include <memory>
#include <utility>

void use(coir::channel<std::unique_ptr<int>>& c, std::unique_ptr<int> value) {
#ifdef CONTROL
    c.send(std::move(value));
#else
    c.send(value);
#endif
}
