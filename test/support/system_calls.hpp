// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/system_calls.hpp"

#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <functional>
#include <utility>

namespace coir::test {

// Replaces one system call for the time of a scope:
//
//     int calls = 0;
//     replace_system_call<&system_calls::read> guard([&](int, void*, std::size_t) -> ssize_t {
//         ++calls;
//         errno = EINTR;
//         return -1;
//     });
//
// Scopes nest, and end in reverse order. The table is the whole process's: make and end a guard
// only while no other thread makes the call. The replacement may call original().
template <auto Member>
class replace_system_call;

template <class Result, class... Arguments, Result (*detail::system_calls::*Member)(Arguments...)>
class replace_system_call<Member> {
public:
    using function = std::function<Result(Arguments...)>;

    explicit replace_system_call(function replacement)
        : outer_entry_(std::exchange(detail::sys.*Member, &call)),
          outer_replacement_(std::exchange(replacement_, std::move(replacement))) {}
    replace_system_call(const replace_system_call&) = delete;
    replace_system_call& operator=(const replace_system_call&) = delete;
    ~replace_system_call() {
        detail::sys.*Member = outer_entry_;
        replacement_ = std::move(outer_replacement_);
    }

    // What the table held before any guard.
    static Result original(Arguments... arguments) { return first_entry_(arguments...); }

private:
    static Result call(Arguments... arguments) { return replacement_(arguments...); }

    inline static function replacement_;
    inline static Result (*const first_entry_)(Arguments...) = detail::sys.*Member;

    Result (*outer_entry_)(Arguments...);
    function outer_replacement_;
};

// For tests that close a descriptor under whoever is about to use it, as coir::posix::close allows.
// ThreadSanitizer takes that for a race, which without coir it would be: so it is not to see the
// call.
inline int close_unseen(int fd) { return static_cast<int>(::syscall(SYS_close, fd)); }

class close_unseen_by_sanitizers {
private:
    const replace_system_call<&detail::system_calls::close> guard_{close_unseen};
};

// A replacement for any call that returns a number: it fails with this errno.
inline auto failing_with(int error) {
    return [error](auto&&...) {
        errno = error;
        return -1;
    };
}

}  // namespace coir::test
