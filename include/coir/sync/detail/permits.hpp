// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/locked_word.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>

namespace coir::detail {

// A semaphore without its type: `most` is the type's limit, for errors.
class COIR_API permits {
public:
    // Throws std::invalid_argument unless 0 <= available <= most.
    permits(std::ptrdiff_t available, std::ptrdiff_t most);

    bool acquire(deadline until);  // false: the deadline has passed
    bool try_acquire() noexcept;
    void release(std::ptrdiff_t count, std::ptrdiff_t most);

private:
    bool take() noexcept;

    locked_word available_;  // twice the number of permits
    wait_queue waiting_;
};

}  // namespace coir::detail
