// SPDX-License-Identifier: BSL-1.0
#include "net/connect_race.hpp"

#include <boost/test/unit_test.hpp>

#include <coir/net/connect_any.hpp>

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

using coir::detail::interleave_families;
using coir::net::endpoint;

namespace {

// "4a 4b 6a": the family and a letter for the port.
std::vector<endpoint> list(std::initializer_list<const char*> names) {
    std::vector<endpoint> result;
    for (const std::string name : names) {
        const std::string host = name[0] == '4' ? "127.0.0.1:" : "[::1]:";
        result.push_back(endpoint::parse(host + std::to_string(name[1])));
    }
    return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(connect_race)

BOOST_AUTO_TEST_CASE(families_take_turns_beginning_with_the_first) {
    BOOST_TEST((interleave_families(list({"6a", "6b", "6c", "4a", "4b"})) ==
                list({"6a", "4a", "6b", "4b", "6c"})));
    BOOST_TEST((interleave_families(list({"4a", "4b", "6a"})) == list({"4a", "6a", "4b"})));
    BOOST_TEST(
        (interleave_families(list({"4a", "6a", "6b", "6c"})) == list({"4a", "6a", "6b", "6c"})));
}

BOOST_AUTO_TEST_CASE(one_family_keeps_its_order) {
    BOOST_TEST((interleave_families(list({"4a", "4b", "4c"})) == list({"4a", "4b", "4c"})));
    BOOST_TEST((interleave_families(list({"6a"})) == list({"6a"})));
    BOOST_TEST(interleave_families({}).empty());
}

BOOST_AUTO_TEST_CASE(an_empty_list_is_an_invalid_argument) {
    BOOST_CHECK_THROW(coir::net::connect_any({}), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
