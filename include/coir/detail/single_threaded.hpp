// SPDX-License-Identifier: BSL-1.0
#pragma once

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace coir::detail {

// Whether the calling thread is certainly the only one of the process. Then nothing that it does
// needs to be atomic, and what it has done is seen by a thread that it starts. What glibc's own
// mutexes and libstdc++'s shared_ptr ask (glibc 2.32; elsewhere the answer is no).
inline bool single_threaded() noexcept {
#if __has_include(<sys/single_threaded.h>)
    return __builtin_expect(__libc_single_threaded != 0, 1);
#else
    return false;
#endif
}

}  // namespace coir::detail
