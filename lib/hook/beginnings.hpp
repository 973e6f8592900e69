// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/parking_lot.hpp"

#include <coir/detail/interposition.hpp>

#include <cstdint>

// What is done once, by whoever comes first, while others wait: pthread_once and the
// initialisation of static locals. libc and libstdc++ block a thread for it until whoever has begun
// is done, and do not tell who that is. So those who have begun are listed here, threads as well,
// and a fiber does not ask for what is listed, but parks. The lists are short, and looked at only
// the first time that something is used.
//
// What a thread begins when another one has failed, and it has waited for that in libc, is not
// listed: a fiber blocks its thread for that one.
namespace coir::hook::detail {

// A fiber or a thread, as who does something.
class doer {
public:
    explicit doer(const coir::detail::calling_fiber& fiber) noexcept
        : number_(fiber.id != 0 ? 2 * fiber.id : 2 * static_cast<std::uint64_t>(thread_id()) + 1) {}
    friend bool operator==(const doer&, const doer&) noexcept = default;

private:
    std::uint64_t number_;
};

// Something that is under way.
struct beginning {
    const void* object;
    doer who;
    beginning* next = nullptr;
};

enum class turn : std::uint8_t {
    ours,       // nobody has begun, and now the caller has
    recursive,  // the caller itself has
    elsewhere,  // another one has, and the caller may not park
};

// In a fiber, waits until nobody has begun with that object. If it is the caller's turn, `mine` is
// listed.
turn begin(beginning& mine, const coir::detail::calling_fiber& caller) noexcept;

// It is over, done or given up: those who wait look again.
void end(beginning& mine) noexcept;

// The same for what outlives the call that begins it; the end of what is not listed does nothing.
turn begin(const void* object, const coir::detail::calling_fiber& caller) noexcept;
void end(const void* object, const coir::detail::calling_fiber& caller) noexcept;

void forget_beginnings_in_child() noexcept;

}  // namespace coir::hook::detail
