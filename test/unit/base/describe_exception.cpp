// SPDX-License-Identifier: BSL-1.0
#include "base/describe_exception.hpp"

#include <boost/test/unit_test.hpp>

#include <exception>
#include <stdexcept>
#include <string>

namespace {

using coir::detail::describe_exception;

struct no_standard_exception {};

BOOST_AUTO_TEST_SUITE(describe_exception_of)

BOOST_AUTO_TEST_CASE(a_standard_exception_is_its_type_and_its_text) {
    const auto error = std::make_exception_ptr(std::out_of_range("7 is too far"));
    BOOST_TEST(describe_exception(error) == "std::out_of_range: 7 is too far");
}

BOOST_AUTO_TEST_CASE(anything_else_is_its_type) {
    BOOST_TEST(describe_exception(std::make_exception_ptr(5)) == "an exception of type int");
    const std::string text = describe_exception(std::make_exception_ptr(no_standard_exception{}));
    BOOST_TEST(text.find("no_standard_exception") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(nothing_is_no_exception) {
    BOOST_TEST(describe_exception(nullptr) == "no exception");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
