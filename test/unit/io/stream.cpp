// SPDX-License-Identifier: BSL-1.0
#include <coir/io/stream.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <system_error>

namespace {

struct good_stream {
    std::size_t read_some(void*, std::size_t);
    std::size_t read_some(void*, std::size_t, std::error_code&);
    std::size_t write_some(const void*, std::size_t);
    std::size_t write_some(const void*, std::size_t, std::error_code&);
};

struct only_reads {
    std::size_t read_some(void*, std::size_t);
    std::size_t read_some(void*, std::size_t, std::error_code&);
};

struct without_error_codes {
    std::size_t read_some(void*, std::size_t);
    std::size_t write_some(const void*, std::size_t);
};

struct signed_results {
    long read_some(void*, std::size_t);
    long read_some(void*, std::size_t, std::error_code&);
    long write_some(const void*, std::size_t);
    long write_some(const void*, std::size_t, std::error_code&);
};

}  // namespace

BOOST_AUTO_TEST_SUITE(stream)

BOOST_AUTO_TEST_CASE(a_type_with_the_four_calls_is_a_stream) {
    BOOST_TEST(coir::io::is_stream_v<good_stream>);
}

BOOST_AUTO_TEST_CASE(a_type_that_lacks_a_call_is_no_stream) {
    BOOST_TEST(!coir::io::is_stream_v<only_reads>);
    BOOST_TEST(!coir::io::is_stream_v<without_error_codes>);
    BOOST_TEST(!coir::io::is_stream_v<int>);
}

BOOST_AUTO_TEST_CASE(a_call_with_another_result_makes_no_stream) {
    BOOST_TEST(!coir::io::is_stream_v<signed_results>);
}

BOOST_AUTO_TEST_CASE(the_concept_says_the_same) {
    BOOST_TEST(coir::io::stream<good_stream>);
    BOOST_TEST(!coir::io::stream<only_reads>);
}

BOOST_AUTO_TEST_SUITE_END()
