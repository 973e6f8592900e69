// SPDX-License-Identifier: BSL-1.0

// Whatever the build type is, this file sees the assertions that a release build has.
#undef COIR_ASSERTIONS
#define COIR_ASSERTIONS 0
#include "base/assert.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(assertion_disabled)

BOOST_AUTO_TEST_CASE(the_condition_is_compiled_and_not_evaluated) {
    int evaluated = 0;
    COIR_ASSERT(++evaluated == 42, "never printed");
    BOOST_TEST(evaluated == 0);
}

BOOST_AUTO_TEST_SUITE_END()
