// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "audit.hpp"

#include <iosfwd>

namespace coir::hook_audit {

enum class detail { problems, everything };

// For people: file by file what needs attention, and a line that sums up. With detail::everything
// what is taken is named as well.
void write_text(std::ostream& out, const audit& result, detail how_much);

}  // namespace coir::hook_audit
