// SPDX-License-Identifier: BSL-1.0
// On a plain thread, with a name service of the test's own.
#include <coir/net/resolve.hpp>

#include "support/system_calls.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

namespace data = boost::unit_test::data;
using coir::detail::system_calls;
using coir::net::endpoint;
using coir::net::resolve;
using coir::net::resolve_errc;
using coir::test::replace_system_call;
using replaced_getaddrinfo = replace_system_call<&system_calls::getaddrinfo>;

namespace {

struct failure {
    int eai;
    std::error_code expected;
};
std::ostream& operator<<(std::ostream& out, const failure& f) { return out << gai_strerror(f.eai); }

const std::vector<failure> failures = {
    {EAI_NONAME, resolve_errc::host_not_found},
    {EAI_AGAIN, resolve_errc::try_again},
    {EAI_FAIL, resolve_errc::failed},
    {EAI_SERVICE, resolve_errc::service_not_found},
    {EAI_FAMILY, resolve_errc::other},
    {EAI_MEMORY, {ENOMEM, std::system_category()}},
    {EAI_SYSTEM, {EMFILE, std::system_category()}},
};

// Asks libc for what needs no name service, whatever was asked.
auto answering_with(const char* host, const char* service) {
    return [=](const char*, const char*, const addrinfo* hints, addrinfo** list) {
        return replaced_getaddrinfo::original(host, service, hints, list);
    };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_resolve)

BOOST_AUTO_TEST_CASE(an_address_and_a_port_need_no_name_service) {
    int asked = 0;
    const replaced_getaddrinfo guard([&](auto...) { return ++asked, EAI_FAIL; });
    BOOST_TEST((resolve("127.0.0.1", "80") == std::vector{endpoint::parse("127.0.0.1:80")}));
    BOOST_TEST((resolve("::1", "http") == std::vector{endpoint::parse("[::1]:80")}));
    BOOST_TEST((resolve("10.0.0.1", "https") == std::vector{endpoint::parse("10.0.0.1:443")}));
    BOOST_TEST(asked == 0);
}

BOOST_AUTO_TEST_CASE(http_is_known_without_a_list_of_services) {
    std::string asked_for;
    const replaced_getaddrinfo guard(
        [&](const char*, const char* service, const addrinfo* hints, addrinfo** list) {
            asked_for = service;
            return replaced_getaddrinfo::original("127.0.0.1", service, hints, list);
        });
    BOOST_TEST(resolve("some.host", "http").front().port() == 80);
    BOOST_TEST(asked_for == "80");
}

BOOST_AUTO_TEST_CASE(a_name_is_asked_for_and_every_answer_returned_once) {
    const replaced_getaddrinfo guard(answering_with("127.0.0.1", "7"));
    BOOST_TEST((resolve("some.host", "7") == std::vector{endpoint::parse("127.0.0.1:7")}));
}

BOOST_DATA_TEST_CASE(failures_are_told_apart_and_name_what_was_asked, data::make(failures), f) {
    const replaced_getaddrinfo guard([&](auto...) {
        errno = EMFILE;
        return f.eai;
    });
    std::error_code ec;
    BOOST_TEST(resolve("some.host", "gopher", ec).empty());
    BOOST_TEST((ec == f.expected));
    try {
        resolve("some.host", "gopher");
        BOOST_FAIL("no exception");
    } catch (const std::system_error& e) {
        BOOST_TEST((e.code() == f.expected));
        BOOST_TEST(std::string(e.what()).find("'some.host'") != std::string::npos);
        BOOST_TEST(std::string(e.what()).find("'gopher'") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(texts_that_libc_would_misread_are_not_found) {
    std::error_code ec;
    resolve("", "80", ec);
    BOOST_TEST((ec == resolve_errc::host_not_found));
    resolve(std::string("localhost\0.evil", 15), "80", ec);
    BOOST_TEST((ec == resolve_errc::host_not_found));
    resolve("localhost", "", ec);
    BOOST_TEST((ec == resolve_errc::service_not_found));
    resolve("localhost", std::string("80\0", 3), ec);
    BOOST_TEST((ec == resolve_errc::service_not_found));
}

BOOST_AUTO_TEST_CASE(an_error_code_is_cleared_by_success) {
    std::error_code ec = std::make_error_code(std::errc::io_error);
    resolve("127.0.0.1", "1", ec);
    BOOST_TEST(!ec);
}

BOOST_AUTO_TEST_SUITE_END()
