// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "stress/stress_test.hpp"

#include <chrono>
#include <cstdint>

namespace coir::stress {

// Has a crowd attempt what the test says until `end`: the fibers of a run of two carriers, those of
// another run of one, and two plain threads, in scopes that have deadlines at random and that
// fibers of both runs cancel at random, their own and the others'; but a few at a time are patient.
// Returns the sum of what all have counted.
totals put_under_stress(test& tested, std::chrono::steady_clock::time_point end,
                        std::uint64_t seed);

}  // namespace coir::stress
