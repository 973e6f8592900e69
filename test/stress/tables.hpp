// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "stress/stress_test.hpp"

#include <vector>

namespace coir::stress {

// A table a file of tests. To add one, declare it here and list it below; to add a test, give its
// file's table a row and CMakeLists.txt its name.
extern const std::vector<entry> channel_tests;
extern const std::vector<entry> embed_tests;
extern const std::vector<entry> lock_tests;
extern const std::vector<entry> offload_tests;
extern const std::vector<entry> queue_tests;
extern const std::vector<entry> result_tests;
extern const std::vector<entry> serve_tests;
extern const std::vector<entry> signal_tests;

inline const std::vector<entry>* const tables[] = {&lock_tests,  &signal_tests, &channel_tests,
                                                   &queue_tests, &result_tests, &offload_tests,
                                                   &embed_tests, &serve_tests};

// In no table: it hangs.
extern const entry hang;

}  // namespace coir::stress
