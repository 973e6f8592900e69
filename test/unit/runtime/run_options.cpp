// SPDX-License-Identifier: BSL-1.0
#include <coir/run_options.hpp>

#include "reactor/reactor.hpp"
#include "support/system_calls.hpp"

#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

using coir::run;
using coir::run_options;
using coir::detail::system_calls;
using coir::test::failing_with;
using coir::test::replace_system_call;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

class environment_variable {
public:
    environment_variable(const char* name, const char* value) : name_(name) {
        if (const char* const before = std::getenv(name)) {
            had_value_ = true;
            before_ = before;
        }
        ::setenv(name, value, 1);
    }
    environment_variable(const environment_variable&) = delete;
    environment_variable& operator=(const environment_variable&) = delete;
    ~environment_variable() {
        if (had_value_) {
            ::setenv(name_, before_.c_str(), 1);
        } else {
            ::unsetenv(name_);
        }
    }

private:
    const char* name_;
    std::string before_;
    bool had_value_ = false;
};

const std::size_t bad_sizes[] = {1, 16 * 1024 - 1, std::size_t{1024} * 1024 * 1024 + 1, SIZE_MAX};

}  // namespace

BOOST_AUTO_TEST_SUITE(options_of_run)

BOOST_DATA_TEST_CASE(a_stack_size_out_of_range_is_refused_with_value_limits_and_knob, bad_sizes,
                     size) {
    run_options options;
    options.stack_size = size;
    bool ran = false;
    BOOST_CHECK_EXCEPTION(run(options, [&] { ran = true; }), std::invalid_argument,
                          [&](const std::invalid_argument& e) {
                              return contains(e.what(), std::to_string(size)) &&
                                     contains(e.what(), "16384") &&
                                     contains(e.what(), "1073741824") &&
                                     contains(e.what(), "run_options::stack_size");
                          });
    BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_CASE(no_blocking_threads_at_all_are_refused) {
    run_options options;
    options.blocking_threads = 0;
    BOOST_CHECK_EXCEPTION(run(options, [] {}), std::invalid_argument,
                          [](const std::invalid_argument& e) {
                              return contains(e.what(), "run_options::blocking_threads");
                          });
}

BOOST_AUTO_TEST_CASE(an_unknown_reactor_in_the_environment_is_refused) {
    const environment_variable guard("COIR_REACTOR", "select");
    BOOST_CHECK_EXCEPTION(run([] {}), std::invalid_argument, [](const std::invalid_argument& e) {
        return contains(e.what(), "COIR_REACTOR") && contains(e.what(), "'select'") &&
               contains(e.what(), "poll");
    });
}

BOOST_AUTO_TEST_CASE(an_unknown_guard_in_the_environment_is_refused) {
    const environment_variable guard("COIR_GUARD", "electric");
    BOOST_CHECK_EXCEPTION(run([] {}), std::invalid_argument, [](const std::invalid_argument& e) {
        return contains(e.what(), "COIR_GUARD") && contains(e.what(), "'electric'");
    });
}

BOOST_AUTO_TEST_CASE(the_environment_overrides_the_reactor) {
    for (const char* name : {"poll", "epoll"}) {  // io_uring may be refused
        const environment_variable guard("COIR_REACTOR", name);
        for (const auto kind : {coir::reactor_kind::automatic, coir::reactor_kind::poll,
                                coir::reactor_kind::epoll, coir::reactor_kind::io_uring}) {
            run_options options;
            options.reactor = kind;
            run(options, [&] {
                BOOST_TEST(coir::detail::reactor::current()->backend_name() == std::string(name));
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(without_an_environment_the_option_chooses) {
    const environment_variable guard("COIR_REACTOR", "");
    run_options options;
    options.reactor = coir::reactor_kind::poll;
    run(options, [] {
        BOOST_TEST(coir::detail::reactor::current()->backend_name() == std::string("poll"));
    });
#ifdef __linux__
    run([] {
        BOOST_TEST(coir::detail::reactor::current()->backend_name() == std::string("epoll"));
    });
#endif
}

BOOST_AUTO_TEST_CASE(both_kinds_of_guards_work) {
    run_options options;
    options.guard = coir::guard_kind::mprotect;
    const environment_variable guard("COIR_GUARD", "");
    BOOST_TEST(run(options, [] {
                   int result = 0;
                   coir::fiber f([&] { result = 7; });
                   f.join();
                   return result;
               }) == 7);
}

BOOST_AUTO_TEST_CASE(the_stack_size_is_the_default_of_fibers) {
    run_options options;
    options.stack_size = 1024 * 1024;
    run(options, [] {
        coir::fiber f([] {
            volatile char room[900 * 1024];
            room[0] = 1;
            room[sizeof room - 1] = 1;
        });
        f.join();
    });
}

BOOST_AUTO_TEST_CASE(no_descriptors_left_is_an_error_and_the_next_run_works) {
    {
        const replace_system_call<&system_calls::eventfd> guard(failing_with(EMFILE));
        BOOST_CHECK_EXCEPTION(run([] {}), std::system_error, [](const std::system_error& e) {
            return e.code() == std::errc::too_many_files_open && contains(e.what(), "ulimit -n");
        });
    }
    BOOST_TEST(run([] { return 1; }) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
