// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/mman.h>

#include "base/system_calls.hpp"
#include "context/page_size.hpp"

namespace coir::detail {

// Guards by PROT_NONE, on any POSIX system. Each splits the mapping, so that every stack costs two
// of the mappings that vm.max_map_count (65530 by default) allows.
struct mprotect_guard {
    // Returns 0, or -1 with errno set; ENOMEM means that the mappings are used up.
    static int install(void* page) noexcept { return sys.mprotect(page, page_size(), PROT_NONE); }
};

}  // namespace coir::detail
