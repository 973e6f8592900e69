// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>
#include <random>
#include <string>

namespace coir::test {

// The seed of the sample number `sample` of a random test: a fresh one in each run, or what
// COIR_TEST_SEED says, with which a run that failed is repeated: set it to the seed that was
// printed, which then is the first sample's.
inline unsigned law_seed(int sample) {
    static const unsigned first = [] {
        const char* const given = std::getenv("COIR_TEST_SEED");
        return given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device{}();
    }();
    return first + static_cast<unsigned>(sample);
}

}  // namespace coir::test
