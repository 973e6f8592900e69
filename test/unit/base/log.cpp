// SPDX-License-Identifier: BSL-1.0
#include "base/log.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using coir::detail::log_level;
using coir::detail::set_log_sink;

namespace {

// Captures what is logged while it lives.
struct capture {
    std::vector<std::pair<log_level, std::string>> messages;

    capture() {
        set_log_sink(
            [this](log_level level, std::string_view text) { messages.emplace_back(level, text); });
    }
    ~capture() { set_log_sink({}); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(logging)

BOOST_AUTO_TEST_CASE(a_sink_gets_level_and_text) {
    capture captured;
    coir::detail::log(log_level::warning, "a fiber was lost");
    BOOST_REQUIRE_EQUAL(captured.messages.size(), 1u);
    BOOST_TEST((captured.messages[0].first == log_level::warning));
    BOOST_TEST(captured.messages[0].second == "a fiber was lost");
}

BOOST_AUTO_TEST_CASE(text_is_never_taken_for_a_format) {
    capture captured;
    coir::detail::log(log_level::info, "100% {} %s {missing}");
    BOOST_REQUIRE_EQUAL(captured.messages.size(), 1u);
    BOOST_TEST(captured.messages[0].second == "100% {} %s {missing}");
}

BOOST_AUTO_TEST_CASE(every_level_is_enabled_for_a_sink) {
    capture captured;
    BOOST_TEST(coir::detail::log_enabled(log_level::trace));
    coir::detail::log(log_level::trace, "detail");
    BOOST_TEST(captured.messages.size() == 1u);
}

BOOST_AUTO_TEST_CASE(without_a_sink_errors_are_enabled_and_traces_are_not) {
    BOOST_TEST(coir::detail::log_enabled(log_level::error));
    BOOST_TEST(!coir::detail::log_enabled(log_level::trace));
}

BOOST_AUTO_TEST_CASE(a_removed_sink_gets_nothing) {
    int calls = 0;
    set_log_sink([&](log_level, std::string_view) { ++calls; });
    set_log_sink({});
    coir::detail::log(log_level::trace, "goes to spdlog, which drops it");
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE(a_sink_that_throws_does_not_harm_the_caller) {
    set_log_sink([](log_level, std::string_view) { throw 42; });
    coir::detail::log(log_level::error, "dropped");
    set_log_sink({});
}

// Goal: the sink is called by one thread at a time, and loses nothing. Method: two threads log, and
// the sink appends without a lock of its own (a race would show under the thread sanitizer).
BOOST_AUTO_TEST_CASE(a_sink_is_called_by_one_thread_at_a_time) {
    constexpr int messages_per_thread = 1000;
    capture captured;
    const auto log_many = [] {
        for (int i = 0; i != messages_per_thread; ++i) {
            coir::detail::log(log_level::info, "message");
        }
    };
    std::thread other(log_many);
    log_many();
    other.join();
    BOOST_TEST(captured.messages.size() == 2u * messages_per_thread);
}

BOOST_AUTO_TEST_SUITE_END()
