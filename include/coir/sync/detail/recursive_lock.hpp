// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/owned_lock.hpp>

#include <cstdint>

namespace coir::detail {

// An owned_lock whose owner may lock it again.
class COIR_API recursive_lock {
public:
    constexpr recursive_lock() noexcept = default;

    void lock(const char* type);
    bool try_lock() noexcept;
    bool lock_until(deadline until, const char* type);
    void unlock(const char* type);

private:
    bool lock_again() noexcept;

    owned_lock lock_;
    std::uint32_t times_ = 0;  // how often the owner has locked it; the owner's
};

}  // namespace coir::detail
