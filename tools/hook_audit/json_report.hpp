// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "audit.hpp"

#include <string>
#include <vector>

namespace coir::hook_audit {

// For programs: the text of one JSON object, whose shape doc/hook_audit.md describes. A field may
// be added to it, but none changes or goes without a new number in "format".
std::string to_json(const std::vector<audit>& results, int status);

}  // namespace coir::hook_audit
