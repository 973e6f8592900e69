// SPDX-License-Identifier: BSL-1.0
#include "context/thread_globals.hpp"

#include <cxxabi.h>

#include <cerrno>

namespace coir::detail {

thread_globals thread_globals::of_this_thread() noexcept {
    return {reinterpret_cast<exception_globals*>(abi::__cxa_get_globals()), &errno};
}

}  // namespace coir::detail
