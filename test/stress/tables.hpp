// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "stress/stress_test.hpp"

#include <vector>

namespace coir::stress {

// A table a file of tests. To add one, declare it here and list it in tables.cpp; to add a test,
// give its file's table a row and CMakeLists.txt its name.
extern const std::vector<entry> channel_tests;
extern const std::vector<entry> embed_tests;
extern const std::vector<entry> lock_tests;
extern const std::vector<entry> offload_tests;
extern const std::vector<entry> queue_tests;
extern const std::vector<entry> result_tests;
extern const std::vector<entry> serve_tests;
extern const std::vector<entry> signal_tests;

// Those of a program, in tables.cpp for the program stress.
extern const std::vector<const std::vector<entry>*> tables;

// In no table: it hangs.
extern const entry hang;

}  // namespace coir::stress
