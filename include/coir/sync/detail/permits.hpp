// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/sync/detail/locked_word.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>

namespace coir::detail {

class woken_up;

// A semaphore without its type: `most` is the type's limit, for errors.
class COIR_API permits {
public:
    // Throws std::invalid_argument unless 0 <= available <= most.
    permits(std::ptrdiff_t available, std::ptrdiff_t most);
    permits(const permits&) = delete;
    permits& operator=(const permits&) = delete;
    ~permits();

    bool acquire(deadline until);  // false: the deadline has passed
    bool try_acquire() noexcept;
    void release(std::ptrdiff_t count, std::ptrdiff_t most);

private:
    struct place;

    bool take_at_once() noexcept;
    bool take() noexcept;
    bool wait(deadline until);
    bool arrive() noexcept;
    void hand_out(std::ptrdiff_t there, woken_up& woken) noexcept;

    locked_word available_;  // twice the number of permits, while nobody is on the way to one
    wait_queue waiting_;     // this and the rest are guarded by available_
    wait_queue late_;        // those who were called and found no permit

    std::ptrdiff_t open_ = 0;    // how many permits there are while somebody is on the way
    std::ptrdiff_t called_ = 0;  // how many are on the way
};

}  // namespace coir::detail
