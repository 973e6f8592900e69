// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cerrno>
#include <string>

// For calls that look entries up in the slow name service.
namespace coir::test {

// As a call says it that sets errno.
inline int fail_with(int error) {
    errno = error;
    return error == 0 ? 0 : -1;
}

// What an entry is looked up into.
template <class Entry>
struct target {
    Entry entry{};
    Entry* result = nullptr;
    std::array<char, 500> buffer{};
    int host_error = 0;
};

// Of the caller with this number, and of an entry in a list.
inline std::string name_of(int i) { return "name" + std::to_string(i); }

}  // namespace coir::test
