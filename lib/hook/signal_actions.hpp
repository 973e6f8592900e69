// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <signal.h>

namespace coir::hook::detail {

// As sigaction(2), with a handler of ours in front of the program's, which is not seen by it: both
// what it asks for and what it is told are its own handlers.
int change_action(int number, const struct sigaction* action, struct sigaction* before) noexcept;

}  // namespace coir::hook::detail
