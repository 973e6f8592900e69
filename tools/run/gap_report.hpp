// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "gap_record.hpp"

#include <string>

namespace coir::run_tool {

// What a record tells of the program, in lines. The program is gone.
std::string describe(const gap_record& record, const std::string& program);

}  // namespace coir::run_tool
