// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <string>

namespace coir::detail {

// What an exception says of itself, for logs: its type and its what(), where it has one.
std::string describe_exception(const std::exception_ptr& error);

}  // namespace coir::detail
