// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/lock_origin.hpp>
#include <coir/sync/detail/locked_word.hpp>
#include <coir/wait_queue.hpp>

namespace coir::detail {

class woken_up;
struct caller;

// The lock behind the shared mutexes. `type` is the name of the public class, for messages.
class COIR_API shared_owned_lock {
public:
    constexpr shared_owned_lock() noexcept : line_{&line_, &line_} {}
    ~shared_owned_lock();
    shared_owned_lock(const shared_owned_lock&) = delete;
    shared_owned_lock& operator=(const shared_owned_lock&) = delete;

    bool lock_until(deadline until, const char* type);  // false: the deadline has passed
    bool try_lock() noexcept;
    void unlock(const char* type);

    bool lock_shared_until(deadline until, const char* type);
    bool try_lock_shared() noexcept;
    void unlock_shared(const char* type);

private:
    struct turn;

    bool share() noexcept;
    void give(const caller& who, bool alone) noexcept;
    bool take(const caller& self, bool alone) noexcept;
    bool wait(turn& mine, deadline until, const char* type);
    void admit(woken_up& woken) noexcept;

    locked_word state_;
    wait_link line_;  // of turns; guarded by state_
    lock_origin origin_;
};

}  // namespace coir::detail
