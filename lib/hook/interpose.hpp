// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/original.hpp"
#include "hook/settings.hpp"

#include <coir/detail/interposition.hpp>

// How a function of libc is taken: this one is found before libc's, since the program or a library
// that stands in front of libc defines it. Each definition is one decision and two calls,
//
//     COIR_HOOK ssize_t read(int fd, void* data, std::size_t size) {
//         return takes_call() ? coir::posix::read(fd, data, size)
//                             : COIR_ORIGINAL(read)(fd, data, size);
//     }
//
// and what coir::posix does is what a fiber's call means.
#define COIR_HOOK extern "C" [[gnu::visibility("default")]]

// The same for a name that C leaves to programs, and that some have for a function of their own:
// that one goes first, and is no business of ours. So the code here must not call it by its name.
#define COIR_HOOK_OF_FREE_NAME extern "C" [[gnu::visibility("default"), gnu::weak]]

// libc's own function.
#define COIR_ORIGINAL(name) \
    (::coir::hook::detail::original<decltype(name)>(::coir::hook::detail::call::name))

namespace coir::hook::detail {

// Whether the call that is being made is coir's to make. On a plain thread it is not.
inline bool takes_call() noexcept { return coir::detail::calls_may_park() && enabled(); }

}  // namespace coir::hook::detail
