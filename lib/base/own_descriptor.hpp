// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/unique_fd.hpp"

#include <coir/export.hpp>

namespace coir::detail {

// Owns a descriptor that is coir's own, and not the program's. It is numbered higher than those
// that a program gets, which may count on the lowest free number, or be made for select(2) and its
// 1024; and the calls that close descriptors by their number, as a daemon does with all of them,
// pass it over.
//
// What is made close-on-exec stays so, and nothing else is a child's to have.
class COIR_API own_descriptor {
public:
    own_descriptor() = default;
    // Takes `fd` over; -1 for none. It stays where it is if no number is free higher up.
    explicit own_descriptor(int fd) noexcept;
    own_descriptor(own_descriptor&& other) noexcept = default;
    own_descriptor& operator=(own_descriptor&& other) noexcept;
    ~own_descriptor() { reset(); }

    int get() const noexcept { return fd_.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

    // Whether coir owns what has this number. Any thread.
    static bool has(int fd) noexcept;
    // Whether it owns any.
    static bool any() noexcept;
    // In the child of a fork: what is there of the parent's may be closed.
    static void forget_in_child() noexcept;

private:
    void reset() noexcept;

    unique_fd fd_;
};

}  // namespace coir::detail
