// SPDX-License-Identifier: BSL-1.0
#include "net/socket_address.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <netinet/in.h>
#include <sys/un.h>
#include <cstring>
#include <vector>

using coir::detail::socket_address;
using coir::net::endpoint;

BOOST_AUTO_TEST_SUITE(net_socket_address)

BOOST_DATA_TEST_CASE(endpoints_survive_the_conversion,
                     boost::unit_test::data::make(std::vector<const char*>{
                         "127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[fe80::1%5]:1"}),
                     text) {
    const endpoint e = endpoint::parse(text);
    const socket_address address(e);
    BOOST_TEST(address.is_ip());
    BOOST_TEST(address.to_endpoint() == e);
    BOOST_TEST(socket_address(address.data(), address.size()).to_endpoint() == e);
}

BOOST_AUTO_TEST_CASE(numbers_are_in_network_order) {
    const socket_address address(endpoint::parse("1.2.3.4:258"));
    sockaddr_in v4;
    std::memcpy(&v4, address.data(), sizeof(v4));
    BOOST_TEST(v4.sin_port == htons(258));
    BOOST_TEST(v4.sin_addr.s_addr == htonl(0x01020304));
}

BOOST_AUTO_TEST_CASE(other_families_and_cut_addresses_are_no_endpoints) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    const socket_address unix_address(reinterpret_cast<const sockaddr*>(&local), sizeof(local));
    BOOST_TEST(!unix_address.is_ip());
    BOOST_TEST(unix_address.to_endpoint() == endpoint());
    const socket_address whole(endpoint::parse("[::1]:80"));
    BOOST_TEST(!socket_address(whole.data(), sizeof(sockaddr_in)).is_ip());
}

BOOST_AUTO_TEST_SUITE_END()
