// SPDX-License-Identifier: BSL-1.0
// Else `catch (const std::exception&)` would swallow cancellations.
// expect: std::exception
#include <coir/cancellation.hpp>

#include <exception>

const char* text(const coir::operation_cancelled& cancelled) {
#ifdef CONTROL
    return cancelled.what();
#else
    const std::exception& swallowed = cancelled;
    return swallowed.what();
#endif
}
