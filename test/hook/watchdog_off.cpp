// SPDX-License-Identifier: BSL-1.0
// Without the word in COIR_HOOK nobody watches, until the program asks for it.
#include "hook/callers.hpp"
#include "hook/stderr_of.hpp"

#include <coir/hook/hook.hpp>

#include <chrono>
#include <string>

using namespace coir::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

void hold_carrier() {
    coir::run([] {
        const auto until = steady_clock::now() + 300ms;
        while (steady_clock::now() < until) {
        }
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(watchdog_off)

BOOST_AUTO_TEST_CASE(nobody_is_reported_until_the_program_has_carriers_watched) {
    BOOST_TEST(stderr_of(hold_carrier) == "");
    coir::hook::watch_carriers(100ms);
    BOOST_TEST(count(stderr_of(hold_carrier), "held its carrier for ") == 1U);
    coir::hook::watch_carriers(10s);
    BOOST_TEST(stderr_of(hold_carrier) == "");
}

BOOST_AUTO_TEST_SUITE_END()
