// SPDX-License-Identifier: BSL-1.0
// The main() of every Boost.Test program.
#include <boost/test/unit_test.hpp>

namespace {

bool name_after_program() {
    auto& all = boost::unit_test::framework::master_test_suite();
    const std::string path = all.argv[0];
    all.p_name.value = path.substr(path.rfind('/') + 1);
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    return boost::unit_test::unit_test_main(name_after_program, argc, argv);
}
