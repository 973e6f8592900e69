// SPDX-License-Identifier: BSL-1.0
#include "net/connection_group.hpp"

#include "core/waiter.hpp"

namespace coir::detail {

connection_group::connection_group() noexcept {
    // In nobody's chain: what cancels the connections does not cancel the server.
    members.attach(innermost_scope(), nullptr);
}

connection_group::~connection_group() {
    members.cancel(cancel_cause::requested);
    while (running_ > 0) {
        one_ended_.park(deadline::never(), {"the end of a server's connections"}, cancellable::no);
    }
    members.detach();
}

void connection_group::fiber_ended(const fiber_control&, std::exception_ptr) noexcept {
    --running_;
    one_ended_.unpark_one();
}

void connection_group::wait_until_fewer_than(std::size_t limit) {
    while (limit > 0 && running_ >= limit) {
        if (one_ended_.park(deadline::never(), {"the end of a server's connection"}) ==
            wait_status::cancelled) {
            check_cancelled();
        }
    }
}

}  // namespace coir::detail
