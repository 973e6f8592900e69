// SPDX-License-Identifier: BSL-1.0
#pragma once

// COIR_VALGRIND is a build option, because the header is not part of a plain system and the
// requests cost a few instructions each.

#if defined(COIR_VALGRIND)
#include "context/valgrind/memcheck.hpp"  // IWYU pragma: export
#else
#include "context/valgrind/none.hpp"  // IWYU pragma: export
#endif
