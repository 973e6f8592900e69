// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace coir::test {

// What figures were measured on: the kernel, the processors, libc, the compiler and how it was
// told to compile, the reactor.
std::string machine();

// The first number with a dot in it that a command prints; empty if there is none.
std::string version_said_by(const std::string& command);

}  // namespace coir::test
