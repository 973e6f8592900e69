// SPDX-License-Identifier: BSL-1.0
// A library that is the program's allocator, for what that does to its locks. Its malloc is libc's.
#include <pthread.h>
#include <cstddef>

extern "C" {

void* __libc_malloc(std::size_t size);

[[gnu::visibility("default")]] void* malloc(std::size_t size) { return __libc_malloc(size); }

// As an allocator locks one of its own.
[[gnu::visibility("default")]] int lock_in_allocator(pthread_mutex_t* mutex) {
    const int result = pthread_mutex_lock(mutex);
    asm volatile("");  // no tail call: it is by the return address that the caller is known
    return result;
}
}
