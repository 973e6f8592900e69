// SPDX-License-Identifier: BSL-1.0

// Whatever the build type is, this file sees the assertions that a Debug build has.
#undef COIR_ASSERTIONS
#define COIR_ASSERTIONS 1
#include "base/assert.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sstream>
#include <string>

namespace {

struct outcome {
    int status = 0;
    std::string error_output;

    bool was_aborted() const { return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT; }
};

// Runs the function in a child process, because it is expected not to survive.
template <class Function>
outcome run_in_child(Function fn) {
    int ends[2];
    BOOST_REQUIRE_EQUAL(::pipe(ends), 0);
    const pid_t child = ::fork();
    BOOST_REQUIRE_GE(child, 0);
    if (child == 0) {
        const rlimit no_core_file{};
        ::setrlimit(RLIMIT_CORE, &no_core_file);
        std::signal(SIGABRT, SIG_DFL);
        ::dup2(ends[1], STDERR_FILENO);
        fn();
        ::_exit(0);
    }
    ::close(ends[1]);
    outcome result;
    char buffer[256];
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
        result.error_output.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(ends[0]);
    BOOST_REQUIRE_EQUAL(::waitpid(child, &result.status, 0), child);
    return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(assertion)

BOOST_AUTO_TEST_CASE(a_condition_that_holds_is_evaluated_once_and_says_nothing) {
    int evaluated = 0;
    COIR_ASSERT(++evaluated == 1, "never printed");
    BOOST_TEST(evaluated == 1);
}

BOOST_AUTO_TEST_CASE(a_condition_that_fails_names_its_place_and_aborts) {
    const int line = __LINE__ + 1;
    const outcome o = run_in_child([] { COIR_ASSERT(1 + 1 == 3, "arithmetic is broken"); });
    BOOST_TEST(o.was_aborted());
    std::ostringstream expected;
    expected << __FILE__ << ':' << line << ": coir: arithmetic is broken\n";
    BOOST_TEST(o.error_output == expected.str());
}

BOOST_AUTO_TEST_CASE(a_panic_names_its_place_and_aborts) {
    const outcome o = run_in_child([] { COIR_PANIC("no way on"); });
    BOOST_TEST(o.was_aborted());
    BOOST_TEST(o.error_output.find("coir: no way on\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
