// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// @brief The mark of what the shared library exports.

/// @brief Marks a class or function that lives in the library.
///
/// The library is compiled with hidden visibility, so what lacks this mark does not exist outside
/// of it. It is the same when the library is built and when it is used, and does no harm in a
/// static library. Exception types need it too, or a `catch` in another shared object misses them.
/// Templates and inline functions do not need it.
#define COIR_API __attribute__((visibility("default")))
