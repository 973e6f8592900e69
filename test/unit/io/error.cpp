// SPDX-License-Identifier: BSL-1.0
#include <coir/io/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <system_error>

namespace io = coir::io;

BOOST_AUTO_TEST_SUITE(io_error)

BOOST_AUTO_TEST_CASE(codes_compare_with_their_enumerators) {
    const std::error_code code = io::errc::limit_exceeded;
    BOOST_TEST((code == io::errc::limit_exceeded));
    BOOST_TEST((code != io::errc::end_of_stream));
    BOOST_TEST(code.category().name() == std::string("coir.io"));
}

BOOST_AUTO_TEST_CASE(each_code_has_a_message_of_its_own) {
    BOOST_TEST(std::error_code(io::errc::end_of_stream).message() == "end of stream");
    BOOST_TEST(std::error_code(io::errc::limit_exceeded).message() == "limit exceeded");
    BOOST_TEST(std::error_code(io::errc::busy).message().find("under way") != std::string::npos);
    BOOST_TEST(io::error_category().message(99) == "error 99");
}

BOOST_AUTO_TEST_CASE(an_incomplete_read_keeps_what_came) {
    const io::incomplete_read e("read_exactly: 3 of 10 bytes", "abc", 10);
    BOOST_TEST(e.partial() == "abc");
    BOOST_TEST(e.expected().value() == 10U);
    BOOST_TEST((e.code() == io::errc::end_of_stream));
    BOOST_TEST(e.what() == std::string("read_exactly: 3 of 10 bytes: end of stream"));
}

BOOST_AUTO_TEST_SUITE_END()
