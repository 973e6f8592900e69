// SPDX-License-Identifier: BSL-1.0
#include <coir/detail/spin_lock.hpp>
#include <coir/sync/detail/locked_word.hpp>

namespace coir::detail {

void locked_word::wait_and_lock() noexcept {
    do {
        for (spin_wait wait; (word_.load(std::memory_order_relaxed) & lock_bit) != 0;) {
            wait.once();
        }
    } while ((word_.fetch_or(lock_bit, std::memory_order_acquire) & lock_bit) != 0);
}

}  // namespace coir::detail
