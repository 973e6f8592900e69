// SPDX-License-Identifier: BSL-1.0
#include <coir/io/buffered_stream.hpp>

#include "scripted_stream.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <coir/cancellation.hpp>

#include <memory>
#include <string>
#include <system_error>

namespace data = boost::unit_test::data;
namespace io = coir::io;
using coir::test::scripted_stream;
using stream_under_test = io::buffered_stream<scripted_stream>;
using record = scripted_stream::record;

namespace {

io::buffer_limits sends_at(std::size_t bytes) {
    io::buffer_limits limits;
    limits.unsent_bytes = bytes;
    return limits;
}

scripted_stream::step takes(std::size_t bytes) { return {{}, bytes, {}, false, nullptr}; }
scripted_stream::step fails() {
    return {{}, 0, std::make_error_code(std::errc::broken_pipe), false, nullptr};
}
scripted_stream::step is_cancelled() { return {{}, 0, {}, true, nullptr}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(buffered_stream_write)

BOOST_AUTO_TEST_CASE(nothing_is_sent_before_drain) {
    const auto r = std::make_shared<record>();
    stream_under_test s{scripted_stream(r)};
    s.write("a");
    s.write("bc");
    BOOST_TEST(r->write_calls == 0U);
    BOOST_TEST(s.unsent() == 3U);
    s.drain();
    BOOST_TEST(r->written == "abc");
    BOOST_TEST(r->write_calls == 1U);
    BOOST_TEST(s.unsent() == 0U);
}

BOOST_AUTO_TEST_CASE(drain_of_nothing_calls_nothing) {
    const auto r = std::make_shared<record>();
    stream_under_test s{scripted_stream(r)};
    s.drain();
    s.write("");
    s.drain();
    BOOST_TEST(r->write_calls == 0U);
}

BOOST_AUTO_TEST_CASE(the_destructor_drops_what_was_not_drained) {
    const auto r = std::make_shared<record>();
    { stream_under_test(scripted_stream(r)).write("dropped"); }
    BOOST_TEST(r->written.empty());
}

BOOST_DATA_TEST_CASE(drain_sends_all_through_partial_writes, data::xrange(1, 8), piece) {
    const auto r = std::make_shared<record>();
    r->writes.assign(20, takes(static_cast<std::size_t>(piece)));
    stream_under_test s{scripted_stream(r)};
    s.write("0123456789");
    s.drain();
    BOOST_TEST(r->written == "0123456789");
}

BOOST_AUTO_TEST_CASE(write_sends_by_itself_once_the_limit_is_reached) {
    const auto r = std::make_shared<record>();
    stream_under_test s{scripted_stream(r), sends_at(8)};
    s.write("0123456");
    BOOST_TEST(r->write_calls == 0U);
    s.write("789");
    BOOST_TEST(r->written == "01234567");
    BOOST_TEST(s.unsent() == 2U);
    s.drain();
    BOOST_TEST(r->written == "0123456789");
}

BOOST_AUTO_TEST_CASE(a_large_text_is_sent_from_where_it_is) {
    const auto r = std::make_shared<record>();
    stream_under_test s{scripted_stream(r), sends_at(8)};
    const std::string large(1000, 'x');
    s.write(large);
    BOOST_TEST(r->written == large);
    BOOST_TEST(r->write_calls == 1U);
    BOOST_TEST(s.unsent() == 0U);
}

BOOST_AUTO_TEST_CASE(a_limit_of_zero_sends_at_once) {
    const auto r = std::make_shared<record>();
    stream_under_test s{scripted_stream(r), sends_at(0)};
    s.write("a");
    BOOST_TEST(r->written == "a");
    BOOST_TEST(s.unsent() == 0U);
}

BOOST_AUTO_TEST_CASE(the_buffer_never_holds_more_than_its_limit) {
    const auto r = std::make_shared<record>();
    r->writes.assign(10'000, takes(3));
    stream_under_test s{scripted_stream(r), sends_at(64)};
    for (int i = 0; i < 500; ++i) {
        s.write("0123456789");
        BOOST_TEST_REQUIRE(s.unsent() <= 64U);
    }
}

// What fails in the middle is neither lost nor sent twice. Method: for each place of the failure in
// a script of partial writes, write and drain until all has gone through.
BOOST_DATA_TEST_CASE(nothing_is_lost_or_sent_twice_around_a_failure,
                     data::xrange(0, 12) * data::make({false, true}), place, cancelled) {
    const auto r = std::make_shared<record>();
    r->writes.assign(static_cast<std::size_t>(place), takes(3));
    r->writes.push_back(cancelled ? is_cancelled() : fails());
    stream_under_test s{scripted_stream(r), sends_at(16)};
    std::string expected;
    for (const char* piece : {"01234567", "abcdefghij", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "."}) {
        expected += piece;
        try {
            s.write(piece);
        } catch (const std::system_error& e) {
            BOOST_TEST((e.code() == std::errc::broken_pipe));
        } catch (const coir::operation_cancelled&) {
            BOOST_TEST(cancelled);
        }
        BOOST_TEST(r->written.size() + s.unsent() == expected.size());
    }
    while (s.unsent() > 0) {
        try {
            s.drain();
        } catch (const std::system_error&) {
        } catch (const coir::operation_cancelled&) {
        }
    }
    BOOST_TEST(r->written == expected);
}

BOOST_AUTO_TEST_CASE(a_stream_that_stays_broken_does_not_fill_the_memory) {
    const auto r = std::make_shared<record>();
    r->writes.assign(1000, fails());
    stream_under_test s{scripted_stream(r), sends_at(16)};
    std::error_code ec;
    for (int i = 0; i < 1000; ++i) {
        s.write("0123456789", ec);
    }
    BOOST_TEST((ec == std::errc::broken_pipe));
    BOOST_TEST(s.unsent() <= 26U);
}

BOOST_AUTO_TEST_CASE(drain_reports_through_an_error_code) {
    const auto r = std::make_shared<record>();
    r->writes = {takes(1), fails()};
    stream_under_test s{scripted_stream(r)};
    s.write("abc");
    std::error_code ec;
    s.drain(ec);
    BOOST_TEST((ec == std::errc::broken_pipe));
    BOOST_TEST(s.unsent() == 2U);
    s.drain(ec);
    BOOST_TEST(!ec);
    BOOST_TEST(r->written == "abc");
}

BOOST_AUTO_TEST_CASE(a_stream_that_takes_nothing_is_an_error_not_a_hang) {
    const auto r = std::make_shared<record>();
    r->writes = {takes(0)};
    stream_under_test s{scripted_stream(r)};
    s.write("abc");
    BOOST_CHECK_THROW(s.drain(), std::system_error);
    BOOST_TEST(s.unsent() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
