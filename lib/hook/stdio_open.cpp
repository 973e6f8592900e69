// SPDX-License-Identifier: BSL-1.0
// fopen. It waits where it is a FIFO, for the other end. freopen is in stdio_stream.cpp.
#include "hook/fifo.hpp"
#include "hook/interpose.hpp"

#include <stdio.h>

using namespace coir::hook::detail;

COIR_HOOK FILE* fopen(const char* name, const char* mode) {
    if (takes_call() && is_fifo_to_wait_for(AT_FDCWD, name, flags_of_mode(mode))) {
        const held_fifo held(name, flags_of_mode(mode));
        return held ? COIR_ORIGINAL(fopen)(name, mode) : nullptr;
    }
    return COIR_ORIGINAL(fopen)(name, mode);
}

// Other names of the same.
static_assert(sizeof(off_t) == sizeof(off64_t), "fopen64 is a function of its own here");
COIR_HOOK [[gnu::malloc, gnu::alias("fopen")]] FILE* fopen64(const char* name, const char* mode);
COIR_HOOK [[gnu::malloc, gnu::alias("fopen")]] FILE* _IO_fopen(const char* name, const char* mode);
