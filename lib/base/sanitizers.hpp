// SPDX-License-Identifier: BSL-1.0
#pragma once

// Under which sanitizer this build runs: COIR_ADDRESS_SANITIZER, COIR_THREAD_SANITIZER. GCC says so
// with __SANITIZE_x__, Clang by __has_feature.

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
