// SPDX-License-Identifier: BSL-1.0
#include <coir/io/buffered_stream.hpp>

#include "scripted_stream.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <coir/cancellation.hpp>

#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace data = boost::unit_test::data;
namespace io = coir::io;
using coir::test::scripted_stream;
using stream_under_test = io::buffered_stream<scripted_stream>;
using record = scripted_stream::record;
using step = scripted_stream::step;

namespace {

step gives(std::string text) { return {std::move(text), {}, {}, false, nullptr}; }
step fails() { return {{}, {}, std::make_error_code(std::errc::connection_reset), false, nullptr}; }
step is_cancelled() { return {{}, {}, {}, true, nullptr}; }

std::shared_ptr<record> script(std::deque<step> reads) {
    auto r = std::make_shared<record>();
    r->reads = std::move(reads);
    return r;
}

io::buffer_limits small_limits() { return {16, 64, 64}; }

bool says(const std::exception& e, const std::string& part) {
    return std::string(e.what()).find(part) != std::string::npos;
}

// Every call that takes the twelve bytes "hello world\n" from a stream.
const std::vector<std::function<std::string(stream_under_test&)>> reads_of_twelve = {
    [](stream_under_test& s) { return s.read_line(); },
    [](stream_under_test& s) { return s.read_until("d\n"); },
    [](stream_under_test& s) { return s.read_exactly(12); },
    [](stream_under_test& s) { return s.read_to_end(); },
};

}  // namespace

BOOST_AUTO_TEST_SUITE(buffered_stream_errors)

BOOST_DATA_TEST_CASE(a_cancelled_read_loses_nothing, data::xrange(4) * data::xrange(0, 12), call,
                     place) {
    const std::string all = "hello world\n";
    const auto at = static_cast<std::size_t>(place);
    stream_under_test s{scripted_stream(
        at == 0 ? script({is_cancelled(), gives(all)})
                : script({gives(all.substr(0, at)), is_cancelled(), gives(all.substr(at))}))};
    const auto& read = reads_of_twelve[static_cast<std::size_t>(call)];
    BOOST_CHECK_THROW(read(s), coir::operation_cancelled);
    BOOST_TEST(s.unread() == at);
    BOOST_TEST(read(s) == all);
}

BOOST_DATA_TEST_CASE(an_error_in_the_middle_is_reported_and_loses_nothing, data::xrange(4), call) {
    stream_under_test s{scripted_stream(script({gives("hello "), fails(), gives("world\n")}))};
    const auto& read = reads_of_twelve[static_cast<std::size_t>(call)];
    try {
        read(s);
        BOOST_FAIL("no exception");
    } catch (const std::system_error& e) {
        BOOST_TEST((e.code() == std::errc::connection_reset));
        BOOST_TEST(says(e, "scripted read"));  // the stream's own exception, with what it knows
    }
    BOOST_TEST(s.unread() == 6U);
    BOOST_TEST(read(s) == "hello world\n");
}

BOOST_AUTO_TEST_CASE(an_error_is_reported_through_an_error_code_by_every_read) {
    stream_under_test s{scripted_stream(script({fails(), fails(), fails(), fails(), fails()}))};
    std::error_code ec;
    char byte = 0;
    BOOST_TEST(s.read_line(ec).empty());
    BOOST_TEST((ec == std::errc::connection_reset));
    BOOST_TEST(s.read_until("x", ec).empty());
    BOOST_TEST((ec == std::errc::connection_reset));
    BOOST_TEST(s.read_exactly(1, ec).empty());
    BOOST_TEST((ec == std::errc::connection_reset));
    BOOST_TEST(s.read_to_end(ec).empty());
    BOOST_TEST((ec == std::errc::connection_reset));
    BOOST_TEST(s.read_some(&byte, 1, ec) == 0U);
    BOOST_TEST((ec == std::errc::connection_reset));
}

BOOST_AUTO_TEST_CASE(after_an_error_read_some_does_not_take_the_stream_for_ended) {
    stream_under_test s{scripted_stream(script({fails(), gives("x")}))};
    std::error_code ec;
    char byte = 0;
    BOOST_TEST(s.read_some(&byte, 1, ec) == 0U);
    BOOST_TEST(s.read_some(&byte, 1) == 1U);
}

BOOST_DATA_TEST_CASE(a_line_over_the_limit_fails_by_name_and_stays_readable, data::xrange(1, 40),
                     piece) {
    const std::string sent(39, 'x');
    auto r = std::make_shared<record>();
    for (std::size_t at = 0; at < sent.size(); at += static_cast<std::size_t>(piece)) {
        r->reads.push_back(gives(sent.substr(at, static_cast<std::size_t>(piece))));
    }
    stream_under_test s{scripted_stream(r), small_limits()};
    try {
        s.read_line();
        BOOST_FAIL("no exception");
    } catch (const io::limit_exceeded& e) {
        BOOST_TEST((e.code() == io::errc::limit_exceeded));
        BOOST_TEST(says(e, "16 bytes"));
        BOOST_TEST(says(e, "line_bytes"));
    }
    std::error_code ec;
    BOOST_TEST(s.read_until("\n", ec).empty());
    BOOST_TEST((ec == io::errc::limit_exceeded));
    BOOST_TEST(s.read_to_end() == sent);
}

BOOST_AUTO_TEST_CASE(a_line_of_just_the_limit_is_read) {
    const std::string line = std::string(15, 'x') + "\n";
    stream_under_test s{scripted_stream(script({gives(line + line)})), small_limits()};
    BOOST_TEST(s.read_line() == line);
    BOOST_TEST(s.read_line() == line);
    const std::string unended(16, 'y');
    stream_under_test last{scripted_stream(script({gives(unended)})), small_limits()};
    BOOST_TEST(last.read_line() == unended);
}

BOOST_AUTO_TEST_CASE(a_line_of_one_byte_more_is_over_the_limit) {
    stream_under_test s{scripted_stream(script({gives(std::string(16, 'x') + "\n")})),
                        small_limits()};
    BOOST_CHECK_THROW(s.read_line(), io::limit_exceeded);
}

// A peer that never ends its line cannot make the buffer grow: the room offered to the stream stays
// within the limit and one byte.
BOOST_AUTO_TEST_CASE(an_endless_line_uses_no_more_than_the_limit) {
    auto r = std::make_shared<record>();
    r->reads.assign(100, gives(std::string(10'000, 'x')));
    stream_under_test s{scripted_stream(r)};
    std::error_code ec;
    s.read_line(ec);
    BOOST_TEST((ec == io::errc::limit_exceeded));
    BOOST_TEST(s.unread() <= 64U * 1024 + 1);
}

BOOST_AUTO_TEST_CASE(read_exactly_over_the_limit_fails_before_it_reads) {
    const auto r = script({gives("x")});
    stream_under_test s{scripted_stream(r), small_limits()};
    try {
        s.read_exactly(65);
        BOOST_FAIL("no exception");
    } catch (const io::limit_exceeded& e) {
        BOOST_TEST(says(e, "65 bytes were asked for"));
        BOOST_TEST(says(e, "64 bytes"));
        BOOST_TEST(says(e, "read_bytes"));
    }
    BOOST_TEST(r->read_calls == 0U);
    BOOST_TEST(s.read_line() == "x");
}

BOOST_AUTO_TEST_CASE(read_exactly_takes_memory_as_bytes_come_not_as_they_are_asked_for) {
    const auto r = script({gives("x")});
    stream_under_test s{scripted_stream(r)};
    std::error_code ec;
    BOOST_TEST(s.read_exactly(64 * 1024 * 1024, ec) == "x");
    BOOST_TEST(r->largest_read <= 4096U);
}

BOOST_AUTO_TEST_CASE(read_to_end_stops_at_its_limit) {
    stream_under_test s{scripted_stream(script({gives(std::string(64, 'a')), gives("b")})),
                        small_limits()};
    BOOST_CHECK_THROW(s.read_to_end(), io::limit_exceeded);
    BOOST_TEST(s.read_exactly(64) == std::string(64, 'a'));
    BOOST_TEST(s.read_to_end() == "b");
    stream_under_test just{scripted_stream(script({gives(std::string(64, 'a'))})), small_limits()};
    BOOST_TEST(just.read_to_end().size() == 64U);
}

BOOST_AUTO_TEST_CASE(limits_without_bound_do_not_overflow) {
    stream_under_test s{scripted_stream(script({gives("a\n"), gives("rest")})),
                        {SIZE_MAX, SIZE_MAX, SIZE_MAX}};
    BOOST_TEST(s.read_line() == "a\n");
    BOOST_TEST(s.read_to_end() == "rest");
    s.write("x");
    s.drain();
}

BOOST_AUTO_TEST_CASE(a_second_call_on_a_side_in_use_is_busy) {
    auto r = std::make_shared<record>();
    stream_under_test* under_test = nullptr;
    std::vector<std::error_code> seen;
    step interrupted = gives("line\n");
    interrupted.meanwhile = [&] {
        std::error_code ec;
        char byte = 0;
        under_test->read_line(ec);
        seen.push_back(ec);
        under_test->read_until("x", ec);
        seen.push_back(ec);
        under_test->read_exactly(1, ec);
        seen.push_back(ec);
        under_test->read_to_end(ec);
        seen.push_back(ec);
        under_test->read_some(&byte, 1, ec);
        seen.push_back(ec);
        BOOST_CHECK_THROW(under_test->read_line(), std::system_error);
        under_test->write("written meanwhile");
        under_test->drain();
    };
    r->reads = {interrupted};
    stream_under_test s{scripted_stream(r)};
    under_test = &s;
    BOOST_TEST(s.read_line() == "line\n");
    BOOST_TEST(seen.size() == 5U);
    for (const std::error_code& ec : seen) {
        BOOST_TEST((ec == io::errc::busy));
    }
    BOOST_TEST(r->written == "written meanwhile");
}

BOOST_AUTO_TEST_CASE(a_second_writer_in_the_middle_of_a_drain_is_busy) {
    auto r = std::make_shared<record>();
    stream_under_test* under_test = nullptr;
    step interrupted;
    interrupted.takes = 1;
    interrupted.meanwhile = [&] {
        std::error_code ec;
        under_test->write("x", ec);
        BOOST_TEST((ec == io::errc::busy));
        under_test->drain(ec);
        BOOST_TEST((ec == io::errc::busy));
    };
    r->writes = {interrupted};
    stream_under_test s{scripted_stream(r)};
    under_test = &s;
    s.write("abc");
    s.drain();
    BOOST_TEST(r->written == "abc");
}

BOOST_AUTO_TEST_CASE(calls_in_a_cancelled_scope_throw_even_if_they_need_not_wait) {
    const auto r = script({gives("a\nb\n")});
    stream_under_test s{scripted_stream(r)};
    BOOST_TEST(s.read_line() == "a\n");
    coir::cancel_scope scope;
    const bool ended = scope.run([&] {
        scope.cancel();
        std::error_code ec;
        BOOST_CHECK_THROW(s.read_line(), coir::operation_cancelled);
        BOOST_CHECK_THROW(s.read_line(ec), coir::operation_cancelled);
        BOOST_CHECK_THROW(s.read_exactly(1), coir::operation_cancelled);
        BOOST_CHECK_THROW(s.write("x"), coir::operation_cancelled);
        BOOST_CHECK_THROW(s.drain(ec), coir::operation_cancelled);
        s.read_to_end();
    });
    BOOST_TEST(!ended);
    BOOST_TEST(s.read_line() == "b\n");
    BOOST_TEST(s.unsent() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
