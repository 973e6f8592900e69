// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "stress/stress_test.hpp"

#include <vector>

namespace coir::stress {

// A table a file of tests. To add one, declare it here, list it below, and name its file in
// CMakeLists.txt.
extern const std::vector<entry> lock_tests;
extern const std::vector<entry> signal_tests;

inline const std::vector<entry>* const tables[] = {&lock_tests, &signal_tests};

}  // namespace coir::stress
