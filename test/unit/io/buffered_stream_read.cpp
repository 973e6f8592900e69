// SPDX-License-Identifier: BSL-1.0
#include <coir/io/buffered_stream.hpp>

#include "scripted_stream.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace data = boost::unit_test::data;
namespace io = coir::io;
using coir::test::scripted_stream;
using stream_under_test = io::buffered_stream<scripted_stream>;
using record = scripted_stream::record;

namespace {

// What a peer sends, in pieces of `piece` bytes each.
std::shared_ptr<record> sends(std::string_view text, std::size_t piece = 1 << 20) {
    auto r = std::make_shared<record>();
    for (std::size_t at = 0; at < text.size(); at += piece) {
        r->reads.push_back({std::string(text.substr(at, piece)), {}, {}, false, nullptr});
    }
    return r;
}

std::vector<std::string> lines_of(stream_under_test& s) {
    std::vector<std::string> lines;
    for (std::string line; line = s.read_line(), !line.empty();) {
        lines.push_back(line);
    }
    return lines;
}

const std::string text = "one\r\ntwo\n\nlast";

}  // namespace

BOOST_AUTO_TEST_SUITE(buffered_stream_read)

BOOST_DATA_TEST_CASE(lines_keep_their_ends_however_they_arrive, data::xrange(1, 16), piece) {
    stream_under_test s{scripted_stream(sends(text, static_cast<std::size_t>(piece)))};
    const std::vector<std::string> expected = {"one\r\n", "two\n", "\n", "last"};
    BOOST_TEST(lines_of(s) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_empty_line_is_the_end_and_stays_so) {
    const auto r = sends("");
    stream_under_test s{scripted_stream(r)};
    BOOST_TEST(s.read_line().empty());
    BOOST_TEST(s.read_line().empty());
    BOOST_TEST(r->read_calls == 1U);  // a stream that has ended is not asked again
}

BOOST_AUTO_TEST_CASE(lines_may_contain_zero_bytes) {
    stream_under_test s{scripted_stream(sends(std::string("a\0b\n", 4)))};
    BOOST_TEST(s.read_line() == std::string("a\0b\n", 4));
}

BOOST_DATA_TEST_CASE(read_until_keeps_the_delimiter_however_it_arrives, data::xrange(1, 12),
                     piece) {
    stream_under_test s{
        scripted_stream(sends("ab\r\r\ncd\r\n\r\nrest", static_cast<std::size_t>(piece)))};
    BOOST_TEST(s.read_until("\r\n") == "ab\r\r\n");
    BOOST_TEST(s.read_until("\r\n\r\n") == "cd\r\n\r\n");
    BOOST_TEST(s.read_to_end() == "rest");
}

BOOST_AUTO_TEST_CASE(read_until_finds_overlapping_delimiters) {
    stream_under_test s{scripted_stream(sends("aaab", 1))};
    BOOST_TEST(s.read_until("aab") == "aaab");
}

BOOST_AUTO_TEST_CASE(read_until_without_its_delimiter_is_incomplete) {
    stream_under_test s{scripted_stream(sends("partial", 3))};
    try {
        s.read_until("\n");
        BOOST_FAIL("no exception");
    } catch (const io::incomplete_read& e) {
        BOOST_TEST(e.partial() == "partial");
        BOOST_TEST(!e.expected().has_value());
    }
    BOOST_TEST(s.unread() == 0U);
}

BOOST_AUTO_TEST_CASE(an_empty_delimiter_is_an_invalid_argument) {
    stream_under_test s{scripted_stream(sends("x"))};
    BOOST_CHECK_THROW(s.read_until(""), std::invalid_argument);
    BOOST_TEST(s.read_to_end() == "x");
}

BOOST_DATA_TEST_CASE(read_exactly_takes_so_many_bytes, data::xrange(1, 12), piece) {
    stream_under_test s{scripted_stream(sends("0123456789", static_cast<std::size_t>(piece)))};
    BOOST_TEST(s.read_exactly(3) == "012");
    BOOST_TEST(s.read_exactly(0) == "");
    BOOST_TEST(s.read_exactly(7) == "3456789");
    BOOST_TEST(s.read_exactly(0) == "");
}

BOOST_AUTO_TEST_CASE(read_exactly_cut_short_says_what_came_and_what_was_wanted) {
    stream_under_test s{scripted_stream(sends("abc", 2))};
    try {
        s.read_exactly(10);
        BOOST_FAIL("no exception");
    } catch (const io::incomplete_read& e) {
        BOOST_TEST(e.partial() == "abc");
        BOOST_TEST(e.expected().value() == 10U);
        BOOST_TEST(std::string(e.what()).find("3 of 10 bytes") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(with_an_error_code_incomplete_reads_return_what_came) {
    std::error_code ec;
    stream_under_test exactly{scripted_stream(sends("abc"))};
    BOOST_TEST(exactly.read_exactly(10, ec) == "abc");
    BOOST_TEST((ec == io::errc::end_of_stream));
    stream_under_test until{scripted_stream(sends("abc"))};
    BOOST_TEST(until.read_until("\n", ec) == "abc");
    BOOST_TEST((ec == io::errc::end_of_stream));
}

BOOST_AUTO_TEST_CASE(an_error_code_is_cleared_by_success) {
    stream_under_test s{scripted_stream(sends("a\nb\nccdone"))};
    std::error_code ec = std::make_error_code(std::errc::io_error);
    BOOST_TEST(s.read_line(ec) == "a\n");
    BOOST_TEST(!ec);
    ec = std::make_error_code(std::errc::io_error);
    BOOST_TEST(s.read_until("\n", ec) == "b\n");
    BOOST_TEST(!ec);
    ec = std::make_error_code(std::errc::io_error);
    BOOST_TEST(s.read_exactly(2, ec) == "cc");
    BOOST_TEST(!ec);
    ec = std::make_error_code(std::errc::io_error);
    BOOST_TEST(s.read_to_end(ec) == "done");
    BOOST_TEST(!ec);
}

BOOST_AUTO_TEST_CASE(read_to_end_of_an_ended_stream_is_empty) {
    stream_under_test s{scripted_stream(sends(""))};
    BOOST_TEST(s.read_to_end().empty());
    BOOST_TEST(s.read_to_end().empty());
}

BOOST_AUTO_TEST_CASE(read_some_takes_what_is_buffered_before_it_asks_the_stream) {
    const auto r = sends("line\nrest");
    stream_under_test s{scripted_stream(r)};
    BOOST_TEST(s.read_line() == "line\n");
    BOOST_TEST(s.unread() == 4U);
    char buffer[16] = {};
    BOOST_TEST(s.read_some(buffer, 3) == 3U);
    BOOST_TEST(std::string_view(buffer, 3) == "res");
    BOOST_TEST(s.read_some(buffer, sizeof(buffer)) == 1U);
    BOOST_TEST(r->read_calls == 1U);
    BOOST_TEST(s.read_some(buffer, sizeof(buffer)) == 0U);
    BOOST_TEST(s.read_some(buffer, 0) == 0U);
}

BOOST_AUTO_TEST_CASE(kinds_of_reads_may_follow_each_other) {
    stream_under_test s{scripted_stream(sends("GET /\r\n5:hello;tail", 4))};
    BOOST_TEST(s.read_line() == "GET /\r\n");
    BOOST_TEST(s.read_until(":") == "5:");
    BOOST_TEST(s.read_exactly(5) == "hello");
    char one = 0;
    BOOST_TEST(s.read_some(&one, 1) == 1U);
    BOOST_TEST(one == ';');
    BOOST_TEST(s.read_to_end() == "tail");
}

// Whatever sizes a message and its pieces have, no byte is lost or doubled. Method: the buffer
// grows through several sizes while reads of another rhythm take from it.
BOOST_AUTO_TEST_CASE(large_streams_pass_unchanged) {
    std::string sent;
    for (std::size_t i = 0; sent.size() < 300'000; ++i) {
        sent += std::to_string(i) + (i % 7 == 0 ? "\n" : ",");
    }
    for (const std::size_t piece : {1000U, 4095U, 4096U, 4097U, 70'000U, 400'000U}) {
        stream_under_test s{scripted_stream(sends(sent, piece))};
        std::string got;
        for (std::size_t turn = 0; turn < 200; ++turn) {
            got += s.read_line();
            got += s.read_exactly(turn * 5);
            got += s.read_until("3");
        }
        got += s.read_to_end();
        BOOST_TEST((got == sent));
    }
}

BOOST_AUTO_TEST_CASE(a_moved_stream_keeps_what_was_read) {
    stream_under_test s{scripted_stream(sends("a\nb\n"))};
    BOOST_TEST(s.read_line() == "a\n");
    stream_under_test moved = std::move(s);
    BOOST_TEST(s.unread() == 0U);
    BOOST_TEST(moved.read_line() == "b\n");
}

BOOST_AUTO_TEST_SUITE_END()
