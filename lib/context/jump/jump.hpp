// SPDX-License-Identifier: BSL-1.0
#pragma once

// How Boost.Context's jump is entered: one file a way.
//
// A shadow stack (bit 1 of __CET__) records calls; Boost.Context then takes the entry of its caller
// from it, so that there must be one.

#if defined(__x86_64__) && !(defined(__CET__) && (__CET__ & 2) != 0)
#include "context/jump/paired_x86_64.hpp"  // IWYU pragma: export
#else
#include "context/jump/called.hpp"  // IWYU pragma: export
#endif
