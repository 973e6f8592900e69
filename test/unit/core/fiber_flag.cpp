// SPDX-License-Identifier: BSL-1.0
#include <coir/log/fiber_flag.hpp>

#include "support/fiber_test.hpp"

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

using coir::fiber;

namespace {

// A program's logger, writing into a string.
class program_log {
public:
    explicit program_log(const std::string& pattern) {
        logger_.set_formatter(coir::log::make_formatter(pattern));
    }
    void info(const char* message) { logger_.info(message); }
    std::string text() const { return out_.str(); }

private:
    std::ostringstream out_;
    spdlog::logger logger_{"program", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_, true)};
};

std::string number_of_this_fiber() { return std::to_string(coir::this_fiber::get_id().value()); }

std::string logged_with(const std::string& pattern) {
    program_log log(pattern);
    log.info("x");
    std::string line = log.text();
    line.pop_back();  // its end
    return line;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fiber_flag)

FIBER_TEST_CASE(it_prints_the_name_and_id_of_the_fiber_that_logs) {
    program_log log("%l [%*] %v");
    std::string expected;
    fiber worker({"worker"}, [&] {
        log.info("one");
        expected += "info [worker#" + number_of_this_fiber() + "] one\n";
        coir::this_fiber::yield();
        log.info("three");
        expected += "info [worker#" + number_of_this_fiber() + "] three\n";
    });
    fiber unnamed([&] {
        log.info("two");
        expected += "info [fiber " + number_of_this_fiber() + "] two\n";
    });
    worker.join();
    unnamed.join();
    log.info("four");
    expected += "info [main#" + number_of_this_fiber() + "] four\n";
    BOOST_TEST(log.text() == expected);
}

BOOST_AUTO_TEST_CASE(on_a_plain_thread_it_prints_a_dash) {
    BOOST_TEST(logged_with("[%*] %v") == "[-] x");
}

FIBER_TEST_CASE(width_side_and_truncation_work_as_with_other_flags) {
    const std::string name = "main#" + number_of_this_fiber();
    const std::string gap(20 - name.size(), ' ');
    BOOST_TEST(logged_with("[%20*]") == '[' + gap + name + ']');
    BOOST_TEST(logged_with("[%-20*]") == '[' + name + gap + ']');
    const std::string half(gap.size() / 2, ' ');
    BOOST_TEST(logged_with("[%=20*]") ==
               '[' + half + name + std::string(gap.size() - half.size(), ' ') + ']');
    BOOST_TEST(logged_with("[%-3!*]") == "[mai]");
    BOOST_TEST(logged_with("[%3*]") == '[' + name + ']');
}

FIBER_TEST_CASE(the_program_chooses_the_letter) {
    std::ostringstream out;
    spdlog::logger logger("program", std::make_shared<spdlog::sinks::ostream_sink_mt>(out, true));
    logger.set_formatter(coir::log::make_formatter("%F %v", 'F'));
    logger.info("x");
    BOOST_TEST(out.str() == "main#" + number_of_this_fiber() + " x\n");
}

BOOST_AUTO_TEST_SUITE_END()
