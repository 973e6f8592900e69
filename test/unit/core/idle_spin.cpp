// SPDX-License-Identifier: BSL-1.0
#include "core/idle_spin.hpp"

#include "core/carrier_group.hpp"
#include "support/system_calls.hpp"

#include <boost/test/unit_test.hpp>
#ifdef __linux__
#include <sched.h>
#endif

using coir::detail::carrier_group;
using coir::detail::idle_spin;

namespace {

// How many of so many sleeps a carrier spins before, if it never pays.
int spins_in_vain(idle_spin& spin, int sleeps) {
    int spins = 0;
    for (int i = 0; i < sleeps; ++i) {
        if (spin.wanted()) {
            ++spins;
            spin.was_in_vain();
        }
    }
    return spins;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spinning_before_a_sleep)

BOOST_AUTO_TEST_CASE(as_long_as_it_pays_it_is_done_each_time) {
    idle_spin spin;
    for (int i = 0; i < 1000; ++i) {
        BOOST_REQUIRE(spin.wanted());
        spin.paid();
    }
}

BOOST_AUTO_TEST_CASE(each_time_in_vain_doubles_how_long_it_is_left_out) {
    idle_spin spin;
    for (const int skipped : {0, 1, 3, 7, 15, 31, 63, 127, 255, 255, 255}) {
        BOOST_REQUIRE(spin.wanted());
        spin.was_in_vain();
        for (int i = 0; i < skipped; ++i) {
            BOOST_REQUIRE(!spin.wanted());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_carrier_for_which_it_never_pays_all_but_gives_it_up) {
    idle_spin spin;
    spins_in_vain(spin, 1000);
    BOOST_TEST(spins_in_vain(spin, 256'000) == 1000);
}

BOOST_AUTO_TEST_CASE(once_it_has_paid_it_is_done_again_at_once) {
    idle_spin spin;
    spins_in_vain(spin, 1000);
    while (!spin.wanted()) {
    }
    spin.paid();
    BOOST_TEST(spin.wanted());
    spin.was_in_vain();
    BOOST_TEST(spin.wanted());
}

#ifdef __linux__
BOOST_AUTO_TEST_CASE(only_carriers_that_have_a_processor_each_may_spin) {
    const coir::test::replace_system_call<&coir::detail::system_calls::sched_getaffinity> two(
        [](pid_t, std::size_t, cpu_set_t* mask) {
            CPU_ZERO(mask);
            CPU_SET(3, mask);
            CPU_SET(5, mask);
            return 0;
        });
    BOOST_TEST(!carrier_group(1).may_spin());  // nobody is there who could post
    BOOST_TEST(carrier_group(2).may_spin());
    BOOST_TEST(!carrier_group(3).may_spin());
}
#endif

BOOST_AUTO_TEST_SUITE_END()
