// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::detail {

/// Prints "file:line: what" to stderr and aborts. Allocates nothing and takes no lock, so it may be
/// called with any lock held, on a fiber that has little stack left, and from a signal handler.
[[noreturn]] void panic(const char* file, int line, const char* what) noexcept;

}  // namespace coir::detail

// Ends the program in every build: for states that must not go on even in a release.
#define COIR_PANIC(text) ::coir::detail::panic(__FILE__, __LINE__, text)

// Checks an invariant of coir itself, never an argument that a user may get wrong in a documented
// way. The build defines COIR_ASSERTIONS to 1 for Debug and for sanitizers. Elsewhere the condition
// is compiled, so that it can't rot and its variables count as used, but never evaluated.
#if defined(COIR_ASSERTIONS) && COIR_ASSERTIONS
#define COIR_ASSERT(condition, text) \
    (static_cast<bool>(condition) ? static_cast<void>(0) : COIR_PANIC(text))
#else
#define COIR_ASSERT(condition, text) static_cast<void>(sizeof(static_cast<bool>(condition)))
#endif
