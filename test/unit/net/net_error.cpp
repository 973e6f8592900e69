// SPDX-License-Identifier: BSL-1.0
#include "net/net_error.hpp"

#include <boost/test/unit_test.hpp>

#include <coir/net/resolve.hpp>

#include <sys/resource.h>
#include <cerrno>
#include <string>
#include <system_error>

using namespace coir::detail;

namespace {

std::error_code system_error_code(int error) { return {error, std::system_category()}; }

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_error)

BOOST_AUTO_TEST_CASE(an_exhausted_limit_is_named_with_its_value_and_knob) {
    rlimit limit{};
    BOOST_REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const std::string text = with_limit("accept on 1.2.3.4:5", system_error_code(EMFILE));
    BOOST_TEST(has(text, "accept on 1.2.3.4:5"));
    BOOST_TEST(has(text, std::to_string(limit.rlim_cur)));
    BOOST_TEST(has(text, "ulimit -n"));
    BOOST_TEST(has(with_limit("x", system_error_code(ENFILE)), "fs.file-max"));
    BOOST_TEST(has(with_limit("x", system_error_code(ENOMEM)), "tcp_mem"));
    BOOST_TEST(has(with_limit("x", system_error_code(EADDRNOTAVAIL)), "ip_local_port_range"));
}

BOOST_AUTO_TEST_CASE(other_errors_have_no_limit) {
    BOOST_TEST(with_limit("x", system_error_code(ECONNREFUSED)) == "x");
    BOOST_TEST(with_limit("x", coir::net::resolve_errc::failed) == "x");
}

BOOST_AUTO_TEST_CASE(exhaustion_is_told_from_other_errors) {
    for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        BOOST_TEST(is_exhaustion(system_error_code(error)));
    }
    BOOST_TEST(!is_exhaustion(system_error_code(EBADF)));
    BOOST_TEST(!is_exhaustion({}));
    BOOST_TEST(!is_exhaustion({EMFILE, coir::net::resolve_category()}));
}

BOOST_AUTO_TEST_SUITE_END()
