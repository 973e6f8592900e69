// SPDX-License-Identifier: BSL-1.0
// A program that has words of its own for COIR_HOOK. What the environment makes of them is seen in
// a child: this program again.
#include "hook/callers.hpp"

#include <coir/hook/hook.hpp>
#include <coir/this_fiber.hpp>

#include <pthread.h>
#include <sys/wait.h>
#include <array>
#include <boost/test/data/test_case.hpp>
#include <cstdio>
#include <string>

using namespace coir::test;
namespace data = boost::unit_test::data;

extern "C" const char* coir_hook_default_options() { return "keys,quite,watchdog=5000"; }

namespace {

bool keys_are_of_fibers() {
    pthread_key_t key;
    pthread_key_create(&key, nullptr);
    int mine = 0;
    bool own = false;
    in_fibers(
        [&] {
            pthread_setspecific(key, &mine);
            coir::this_fiber::yield();
        },
        [&] { own = pthread_getspecific(key) == nullptr; });
    pthread_key_delete(key);
    return own;
}

struct outcome {
    std::string said;
    int status = 0;
};

// Of the case `name` in this program, as COIR_HOOK says `words`.
outcome run_again(const std::string& words, const std::string& name) {
    const std::string program = boost::unit_test::framework::master_test_suite().argv[0];
    std::FILE* const output =
        ::popen(("COIR_HOOK=" + words + " '" + program +
                 "' --catch_system_errors=no --run_test=" + "default_options/" + name + " 2>&1")
                    .c_str(),
                "r");
    BOOST_REQUIRE(output != nullptr);
    outcome result;
    std::array<char, 1024> piece;
    while (std::fgets(piece.data(), piece.size(), output) != nullptr) {
        result.said += piece.data();
    }
    result.status = ::pclose(output);
    return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(default_options)

BOOST_AUTO_TEST_CASE(what_a_program_says_counts) { BOOST_TEST(keys_are_of_fibers()); }

// For children only.
BOOST_AUTO_TEST_CASE(they_are_not, *boost::unit_test::disabled()) {
    BOOST_TEST(!keys_are_of_fibers());
}

BOOST_DATA_TEST_CASE(the_environment_has_the_last_word,
                     data::make({"no-keys", "held-mutexes,no-keys", "keys,no-keys", "off"}),
                     words) {
    const outcome found = run_again(words, "they_are_not");
    BOOST_TEST(found.status == 0, found.said);
}

BOOST_DATA_TEST_CASE(what_the_environment_leaves_alone_stays,
                     data::make({"", "quiet", "off,on", "no-watchdog", "no-keys,keys"}), words) {
    const outcome found = run_again(words, "what_a_program_says_counts");
    BOOST_TEST(found.status == 0, found.said);
}

BOOST_AUTO_TEST_CASE(a_word_that_is_none_is_told_with_where_it_stands) {
    const std::string said = run_again("keys", "what_a_program_says_counts").said;
    BOOST_TEST(
        said.find("coir_hook_default_options() has the word 'quite'; known are off, ") != said.npos,
        said);
    BOOST_TEST(said.find("COIR_HOOK has") == said.npos, said);
}

BOOST_DATA_TEST_CASE(so_is_one_in_the_environment,
                     data::make({"no-off", "no-", "watchdog=", "watchdog=0", "watchdog=-3",
                                 "watchdog=1s", "no-watchdog=20", "keys ", "KEYS"}),
                     word) {
    const std::string said =
        run_again("',quiet,," + std::string(word) + ",'", "what_a_program_says_counts").said;
    BOOST_TEST(said.find("COIR_HOOK has the word '" + std::string(word) + "'; known are off, ") !=
                   said.npos,
               said);
}

BOOST_AUTO_TEST_SUITE_END()
