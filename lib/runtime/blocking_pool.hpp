// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/blocking_pool.hpp>

#include <cstddef>

namespace coir::detail {

// The pool of the calling carrier's run; null on a plain thread.
blocking_pool* current_blocking_pool() noexcept;

// In the child of a fork(2), which has none of its threads. Async-signal-safe.
void leave_blocking_pool_in_child() noexcept;

// For how many calls, on whatever pool, fibers of the calling carrier wait. Time that is virtual
// must not jump meanwhile.
std::size_t blocking_calls_awaited() noexcept;

// Makes a pool the calling carrier's.
class blocking_pool_scope {
public:
    explicit blocking_pool_scope(blocking_pool& pool) noexcept;
    blocking_pool_scope(const blocking_pool_scope&) = delete;
    blocking_pool_scope& operator=(const blocking_pool_scope&) = delete;
    ~blocking_pool_scope();
};

}  // namespace coir::detail
