// SPDX-License-Identifier: BSL-1.0
// The names of C11's <threads.h>. In glibc its types are pthread's, and its functions call
// pthread's inside libc, where they cannot be taken; so here they call what has been taken.
#include "hook/interpose.hpp"

#include <pthread.h>
#include <threads.h>
#include <cerrno>
#include <cstdint>

namespace {

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t) &&
              sizeof(once_flag) == sizeof(pthread_once_t));

pthread_mutex_t* pthread(mtx_t* m) noexcept { return reinterpret_cast<pthread_mutex_t*>(m); }
pthread_cond_t* pthread(cnd_t* c) noexcept { return reinterpret_cast<pthread_cond_t*>(c); }

int c11(int error) noexcept {
    switch (error) {
        case 0: return thrd_success;
        case ENOMEM: return thrd_nomem;
        case ETIMEDOUT: return thrd_timedout;
        case EBUSY: return thrd_busy;
        default: return thrd_error;
    }
}

}  // namespace

COIR_HOOK int mtx_lock(mtx_t* m) { return c11(::pthread_mutex_lock(pthread(m))); }
COIR_HOOK int mtx_trylock(mtx_t* m) { return c11(::pthread_mutex_trylock(pthread(m))); }
COIR_HOOK int mtx_timedlock(mtx_t* m, const timespec* until) {
    return c11(::pthread_mutex_timedlock(pthread(m), until));
}
COIR_HOOK int mtx_unlock(mtx_t* m) { return c11(::pthread_mutex_unlock(pthread(m))); }

COIR_HOOK int cnd_wait(cnd_t* c, mtx_t* m) {
    return c11(::pthread_cond_wait(pthread(c), pthread(m)));
}
COIR_HOOK int cnd_timedwait(cnd_t* c, mtx_t* m, const timespec* until) {
    return c11(::pthread_cond_timedwait(pthread(c), pthread(m), until));
}
COIR_HOOK int cnd_signal(cnd_t* c) { return c11(::pthread_cond_signal(pthread(c))); }
COIR_HOOK int cnd_broadcast(cnd_t* c) { return c11(::pthread_cond_broadcast(pthread(c))); }

COIR_HOOK void call_once(once_flag* flag, void (*initialise)()) {
    ::pthread_once(&flag->__data, initialise);
}

COIR_HOOK int thrd_join(thrd_t thread, int* result) {
    void* value = nullptr;
    const int error = ::pthread_join(thread, &value);
    if (error == 0 && result != nullptr) {
        *result = static_cast<int>(reinterpret_cast<std::intptr_t>(value));
    }
    return c11(error);
}

COIR_HOOK int tss_create(tss_t* key, tss_dtor_t destroy) {
    return c11(::pthread_key_create(key, destroy));
}
COIR_HOOK void* tss_get(tss_t key) { return ::pthread_getspecific(key); }
COIR_HOOK int tss_set(tss_t key, void* value) { return c11(::pthread_setspecific(key, value)); }
COIR_HOOK void tss_delete(tss_t key) { ::pthread_key_delete(key); }
