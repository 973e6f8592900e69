// SPDX-License-Identifier: BSL-1.0
#include "sync/caller.hpp"

#include <atomic>

namespace coir::detail {

std::uint64_t tag_of_this_thread() noexcept {
    static std::atomic<std::uint64_t> next{1};
    constinit static thread_local std::uint64_t number = 0;
    if (number == 0) {
        number = next.fetch_add(1, std::memory_order_relaxed);
    }
    return 2 * number + 1;
}

}  // namespace coir::detail
