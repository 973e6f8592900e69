// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/sanitizers.hpp"

// Picks the annotations for the sanitizer that this build runs under.

#if defined(COIR_ADDRESS_SANITIZER)
#include "context/sanitizer/address.hpp"  // IWYU pragma: export
#elif defined(COIR_THREAD_SANITIZER)
#include "context/sanitizer/thread.hpp"  // IWYU pragma: export
#else
#include "context/sanitizer/none.hpp"  // IWYU pragma: export
#endif
