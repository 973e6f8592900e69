// SPDX-License-Identifier: BSL-1.0
// Carriers that have nothing to do: they may spin before they sleep. Goal: an idle program uses no
// processor time.
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <time.h>
#include <chrono>

using namespace std::chrono_literals;

namespace {

coir::run_options two() {
    coir::run_options options;
    options.threads = 2;
    return options;
}

std::chrono::nanoseconds processor_time() {
    timespec spent{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(idle_carriers)

BOOST_AUTO_TEST_CASE(an_idle_run_uses_no_processor_time) {
    coir::run(two(), [] {
        const auto before = processor_time();
        coir::this_fiber::sleep_for(400ms);
        BOOST_TEST((processor_time() - before < 40ms));
    });
}

BOOST_AUTO_TEST_SUITE_END()
