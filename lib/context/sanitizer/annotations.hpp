// SPDX-License-Identifier: BSL-1.0
#pragma once

// Picks the annotations for the sanitizer that this build runs under. GCC says so with
// __SANITIZE_x__, Clang by __has_feature. COIR_ADDRESS_SANITIZER and COIR_THREAD_SANITIZER are for
// tests that must know.

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COIR_ADDRESS_SANITIZER 1
#elif __has_feature(thread_sanitizer)
#define COIR_THREAD_SANITIZER 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) && !defined(COIR_ADDRESS_SANITIZER)
#define COIR_ADDRESS_SANITIZER 1
#elif defined(__SANITIZE_THREAD__) && !defined(COIR_THREAD_SANITIZER)
#define COIR_THREAD_SANITIZER 1
#endif

#if defined(COIR_ADDRESS_SANITIZER)
#include "context/sanitizer/address.hpp"  // IWYU pragma: export
#elif defined(COIR_THREAD_SANITIZER)
#include "context/sanitizer/thread.hpp"  // IWYU pragma: export
#else
#include "context/sanitizer/none.hpp"  // IWYU pragma: export
#endif
