// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/context/detail/fcontext.hpp>

namespace coir::detail {

// How many bytes above the registers that are saved the caller's frame begins, roughly.
inline constexpr int from_jump_to_caller = 64;

// Stops here, goes on at `to`, which is told `data`, and returns when somebody jumps back.
inline boost::context::detail::transfer_t jump(boost::context::detail::fcontext_t to,
                                               void* data) noexcept {
    return boost::context::detail::jump_fcontext(to, data);
}

}  // namespace coir::detail
