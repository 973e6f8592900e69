// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/lock_origin.hpp>
#include <coir/sync/detail/locked_word.hpp>
#include <coir/wait_queue.hpp>

#include <mutex>

namespace coir::detail {

struct caller;

// What all mutexes but the shared ones are: a lock that knows its owner. `type` is the name of the
// public class, for messages.
class COIR_API owned_lock {
public:
    constexpr owned_lock() noexcept = default;

    void lock(const char* type);
    bool try_lock() noexcept;
    bool lock_until(deadline until, const char* type);  // false: the deadline has passed
    void unlock(const char* type);
    bool held_by_caller() const noexcept;

private:
    bool take(const caller& self) noexcept;
    bool wait(const caller& self, deadline until, const char* type);
    wait_status arrive(const caller& self, std::unique_lock<locked_word>& guard, deadline until);

    locked_word state_;
    wait_queue waiting_;
    lock_origin origin_;
};

}  // namespace coir::detail
