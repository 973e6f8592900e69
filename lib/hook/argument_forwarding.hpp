// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdarg>

// How a function with `...` hands what follows its parameter `last` to one that takes a va_list: in
// `call`, its name is `arguments`. Macros, since C ends such a list in the function that began it.
#define COIR_FORWARD_ARGUMENTS(last, call) \
    va_list arguments;                     \
    va_start(arguments, last);             \
    call;                                  \
    va_end(arguments)

// The same as the whole of a function, whose result is that of the call.
#define COIR_RETURN_FORWARDING(last, call)         \
    int result = 0;                                \
    COIR_FORWARD_ARGUMENTS(last, result = (call)); \
    return result
