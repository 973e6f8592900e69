// SPDX-License-Identifier: BSL-1.0
// A program that has fibers.
#include <coir/run.hpp>

int main() {
    return coir::run([] { return 3; });
}
