// SPDX-License-Identifier: BSL-1.0
#include "runtime/fork.hpp"

#include "base/own_descriptor.hpp"
#include "core/scheduler.hpp"
#include "reactor/reactor.hpp"
#include "runtime/blocking_pool.hpp"

#include <pthread.h>
#include <new>

namespace coir::detail {

namespace {

void in_child() noexcept {
    scheduler::leave_in_child();
    reactor::leave_in_child();
    leave_blocking_pool_in_child();
    own_descriptor::forget_in_child();
}

bool register_handler() {
    if (::pthread_atfork(nullptr, nullptr, in_child) != 0) {
        throw std::bad_alloc();  // its only error
    }
    return true;
}

}  // namespace

void follow_forks() { [[maybe_unused]] static const bool once = register_handler(); }

}  // namespace coir::detail
