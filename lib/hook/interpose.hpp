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

// libc's own function.
#define COIR_ORIGINAL(name) \
    (::coir::hook::detail::original<decltype(name)>(::coir::hook::detail::call::name))

namespace coir::hook::detail {

// Whether the call that is being made is coir's to make. On a plain thread it is not.
inline bool takes_call() noexcept { return coir::detail::calls_may_park() && enabled(); }

}  // namespace coir::hook::detail
