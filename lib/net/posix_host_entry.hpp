// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <netdb.h>
#include <cstddef>
#include <memory>

namespace coir::detail {

// A host's names and addresses as gethostbyname tells them, with the memory that they lie in. Empty
// where nothing was found.
class host_entry {
public:
    host_entry() noexcept = default;
    host_entry(host_entry&& other) noexcept;
    host_entry& operator=(host_entry&& other) noexcept;

    // Asks the system's name service, and blocks the thread for it. @returns 0 or an errno;
    // host_error is 0 or one of h_errno's values, such as HOST_NOT_FOUND, and then nothing is
    // found.
    int look_up(const char* name, int& host_error);

    // Copies it into a caller's own memory, in the order pointers, addresses, names. False if it
    // does not fit.
    bool copy_to(hostent& to, char* buffer, std::size_t size) const noexcept;

    explicit operator bool() const noexcept { return memory_ != nullptr; }
    hostent* get() noexcept { return &entry_; }

private:
    hostent entry_{};
    std::unique_ptr<char[]> memory_;  // what entry_ points into; it does not move with us
};

}  // namespace coir::detail
