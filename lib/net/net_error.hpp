// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <system_error>

namespace coir::detail {

// The present errno as an error code.
std::error_code last_error() noexcept;

// Whether the process, or the system, has run out of what a new connection needs. It may pass.
bool is_exhaustion(std::error_code error) noexcept;

// "what", with the limit that was reached and its knob in parentheses where the error is about one.
std::string with_limit(std::string what, std::error_code error);

// Throws std::system_error with the message of with_limit().
[[noreturn]] void throw_net_error(std::string what, std::error_code error);

}  // namespace coir::detail
