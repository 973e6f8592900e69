// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::detail {

// The errors of whoever uses a lock in a way that it can tell. `type` is the lock's class.
[[noreturn]] void throw_holds_it_already(const char* type);  // resource_deadlock_would_occur
[[noreturn]] void throw_does_not_hold_it(const char* type);  // operation_not_permitted
[[noreturn]] void throw_too_deep(const char* type);          // resource_unavailable_try_again

}  // namespace coir::detail
