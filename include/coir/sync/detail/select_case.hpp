// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>
#include <cstdint>

namespace coir::detail {

// What came of an attempt that was made with the lock held.
enum class attempt : std::uint8_t {
    not_now,       // whoever wants it must wait
    done,          // committed; complete() is still to be called
    needs_memory,  // it need not wait, but provide_memory() must be called first
};

// Something that a select, or a single call, can wait for: a place in a queue, with the rule by
// which the thing happens. Whoever notifies a waiter in this place has made the thing happen: a
// notification is the commitment, and nothing is left to be tried again.
class select_case : public wait_place {
public:
    // With the lock held: makes it happen if that is possible now.
    virtual attempt try_now() noexcept = 0;

    // After try_now() has said done, with no lock held: what of it must not be done under a lock.
    virtual void complete() noexcept {}

    // After try_now() has said needs_memory, with no lock held. Throws std::bad_alloc.
    virtual void provide_memory() {}

protected:
    using wait_place::wait_place;
    ~select_case() = default;
};

// A case of a select that waits for something, in an array that the select may reorder.
struct select_entry {
    select_case* what;
    std::size_t number;  // among all cases of the select
};

// Waits until one of the cases happens, chosen fairly if several can at once, and gives its number;
// `none` if `until` has passed, or at once if `may_wait` is false. `places` is room for as many
// pointers as there are cases.
COIR_API std::size_t select_among(select_entry* cases, wait_place** places, std::size_t count,
                                  bool may_wait, deadline until, std::size_t none);

}  // namespace coir::detail
