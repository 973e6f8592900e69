// SPDX-License-Identifier: BSL-1.0
#include "sync/misuse.hpp"

#include <coir/this_fiber.hpp>

#include <string>
#include <system_error>

namespace coir::detail {

namespace {

[[noreturn]] void fail(std::errc code, const char* type, const char* what) {
    throw std::system_error(std::make_error_code(code), std::string("coir::") + type + ": '" +
                                                            this_fiber::name() + "' " + what);
}

}  // namespace

void throw_holds_it_already(const char* type) {
    fail(std::errc::resource_deadlock_would_occur, type, "locks what it holds already");
}

void throw_does_not_hold_it(const char* type) {
    fail(std::errc::operation_not_permitted, type, "unlocks what it does not hold");
}

void throw_too_deep(const char* type) {
    fail(std::errc::resource_unavailable_try_again, type, "has locked it too often to count");
}

}  // namespace coir::detail
