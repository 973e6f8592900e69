// SPDX-License-Identifier: BSL-1.0
// coir's own table of system calls has none of the functions that the hook library defines: coir
// would call itself.
#include "base/system_calls.hpp"
#include "hook/call.hpp"

#include <dlfcn.h>
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstring>

using coir::detail::sys;
using coir::detail::system_calls;

BOOST_AUTO_TEST_SUITE(table_of_system_calls)

BOOST_AUTO_TEST_CASE(coir_calls_none_of_its_hooks) {
    std::array<void*, sizeof(system_calls) / sizeof(void*)> table;
    std::memcpy(table.data(), &sys, sizeof sys);
    int taken = 0;
    for (const auto& call : coir::hook::detail::call_descriptions) {
        void* const ours = call.is_taken() ? ::dlsym(RTLD_DEFAULT, call.name) : nullptr;
        if (ours != nullptr) {
            ++taken;
            BOOST_TEST((std::find(table.begin(), table.end(), ours) == table.end()), call.name);
        }
    }
    BOOST_TEST(taken > 200);
}

BOOST_AUTO_TEST_SUITE_END()
