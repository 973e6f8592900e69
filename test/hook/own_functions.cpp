// SPDX-License-Identifier: BSL-1.0
// A program that has functions of its own by names of libc's which C leaves to programs.
#include <coir/hook/hook.hpp>
#include <coir/run.hpp>

#include <dlfcn.h>
#include <boost/test/unit_test.hpp>

extern "C" {

int own_dprintf(int level) asm("dprintf");
int own_dprintf(int level) { return 2 * level; }

int own_getline(char* line, int capacity) asm("getline");
int own_getline(char* line, int capacity) {
    *line = '\0';
    return capacity;
}

int own_error(int weight) asm("error");
int own_error(int weight) { return weight + 2; }

int own_warn(int weight) asm("warn");
int own_warn(int weight) { return weight + 3; }

int own_pause(int seconds) asm("pause");
int own_pause(int seconds) { return seconds + 1; }

}  // extern "C"

BOOST_AUTO_TEST_SUITE(hooks_of_free_names)

BOOST_AUTO_TEST_CASE(a_programs_own_functions_go_first_and_are_no_finding) {
    BOOST_TEST((::dlsym(RTLD_DEFAULT, "dprintf") == reinterpret_cast<void*>(&own_dprintf)));
    coir::run([] {
        char line[10];
        BOOST_TEST(own_dprintf(4) == 8);
        BOOST_TEST(own_getline(line, 10) == 10);
        BOOST_TEST(own_pause(4) == 5);
        BOOST_TEST(own_error(4) == 6);
        BOOST_TEST(own_warn(4) == 7);
        BOOST_TEST(coir::hook::active());
    });
    for (const std::string& finding : coir::hook::self_check()) {
        BOOST_ERROR(finding);
    }
}

BOOST_AUTO_TEST_SUITE_END()
