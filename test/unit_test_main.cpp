// SPDX-License-Identifier: BSL-1.0
// The main() of every Boost.Test program; the build defines COIR_TEST_MODULE as the program's name.
#define BOOST_TEST_MODULE COIR_TEST_MODULE
#include <boost/test/unit_test.hpp>
