// SPDX-License-Identifier: BSL-1.0
// What keeps calls from being taken, each in a program that has it: what is written to stderr at
// the start, and what self_check() says later, must name the file and what to change. Beside each
// stands what looks alike and is well, of which nothing may be said.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <string>

namespace data = boost::unit_test::data;

namespace {

const std::string folder = COIR_SELF_CHECK_FOLDER;
const std::string well = "taken, the library has 0\n";

#ifdef COIR_SELF_CHECK_SHARED
constexpr bool hook_is_shared = true;
#else
constexpr bool hook_is_shared = false;
#endif

// What the command writes, to stderr or to stdout.
std::string output_of(const std::string& command) {
    std::string text;
    std::FILE* const output = ::popen((command + " 2>&1").c_str(), "r");
    BOOST_REQUIRE(output != nullptr);
    for (int byte = 0; (byte = std::getc(output)) != EOF;) {
        text += static_cast<char>(byte);
    }
    BOOST_TEST_INFO_SCOPE(text);
    BOOST_TEST(::pclose(output) == 0);
    return text;
}

std::string program(const std::string& name) { return folder + "/self_check_" + name; }
std::string library(const std::string& name) { return folder + "/libself_check_" + name + ".so"; }

void check_says(const std::string& text, const std::string& wanted) {
    BOOST_TEST_INFO("wanted: " << wanted << "\nsaid: " << text);
    BOOST_TEST((text.find(wanted) != text.npos));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hook_self_check)

BOOST_AUTO_TEST_CASE(a_program_that_is_linked_as_it_should_be_is_told_nothing) {
    BOOST_TEST(output_of(program("program")) == well);
    BOOST_TEST(output_of(program("bystander")) == "");
}

BOOST_AUTO_TEST_CASE(libc_in_front_of_the_shared_library_is_named) {
    const std::string said = output_of(program("bystander_libc_first"));
    check_says(said, "coir::hook: ");
    check_says(said, "libc.so.6 comes before coir::hook");
    check_says(said, " poll,");
    check_says(said, "name libcoir-hook.so before it on the linker's command line");
}

BOOST_AUTO_TEST_CASE(libc_in_front_of_the_archive_does_no_harm) {
    const std::string said = output_of(program("program_libc_first"));
    if (hook_is_shared) {
        check_says(said, "libc.so.6 comes before coir::hook");
        check_says(said, "not taken");
    } else {
        BOOST_TEST(said == well);
    }
}

BOOST_AUTO_TEST_CASE(quiet_keeps_it_from_stderr) {
    BOOST_TEST(output_of("COIR_HOOK=quiet " + program("bystander_libc_first")) == "");
}

BOOST_AUTO_TEST_CASE(a_library_that_is_opened_with_RTLD_DEEPBIND_is_named) {
    BOOST_TEST(output_of(program("program ") + library("caller")) == well);
    const std::string said = output_of(program("program ") + library("caller") + " deepbind");
    check_says(said, library("caller") + " calls poll of ");
    check_says(said, "libc.so.6, past coir::hook");
    check_says(said, "open it without");
}

BOOST_DATA_TEST_CASE(a_library_whose_calls_are_bound_to_its_own_functions_is_named,
                     data::make({"symbolic", "symbolic_functions"}), how) {
    const std::string said = output_of(program("program ") + library(how));
    check_says(said, library(how) + " has functions of its own called poll,");
    check_says(said, "Link it without -Bsymbolic");
    check_says(said, "the library has 42");  // which is why
}

BOOST_AUTO_TEST_CASE(a_library_with_such_a_function_and_no_such_binding_is_no_finding) {
    const std::string file = library("own_poll");
    BOOST_TEST(output_of(program("program ") + file) == well);
    const std::string said = output_of(program("program ") + file + " deepbind");
    check_says(said, file + " has functions of its own called poll,");
    check_says(said, "the library has 42");
}

BOOST_AUTO_TEST_CASE(another_library_that_takes_the_same_names_is_named) {
    const std::string preload = "LD_PRELOAD=" + library("own_poll") + ' ';
    const std::string before = output_of(preload + program("bystander"));
    check_says(before,
               "own_poll.so comes before coir::hook, so these calls block the thread: poll");
    check_says(before, "first in LD_PRELOAD");

    const std::string behind = output_of(preload + program("program"));
    if (hook_is_shared) {
        check_says(behind, "own_poll.so comes before coir::hook");
    } else {
        check_says(behind, "coir::hook: " + library("own_poll") + " takes poll, too.");
        check_says(behind, "link or preload one of the two alone");
    }
}

BOOST_AUTO_TEST_SUITE_END()
