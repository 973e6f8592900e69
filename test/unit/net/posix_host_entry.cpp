// SPDX-License-Identifier: BSL-1.0
#include "net/posix_host_entry.hpp"

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

using coir::detail::host_entry;

BOOST_AUTO_TEST_SUITE(posix_host_entry)

BOOST_AUTO_TEST_CASE(a_numeric_host_is_found_and_survives_a_move) {
    host_entry entry;
    int host_error = -1;
    BOOST_TEST(!entry);
    BOOST_TEST(entry.look_up("192.0.2.7", host_error) == 0);
    BOOST_TEST(host_error == 0);
    host_entry moved = std::move(entry);
    BOOST_REQUIRE(static_cast<bool>(moved));
    BOOST_TEST(std::string(moved.get()->h_name) == "192.0.2.7");
    in_addr address{};
    std::memcpy(&address, moved.get()->h_addr_list[0], sizeof address);
    BOOST_TEST(address.s_addr == inet_addr("192.0.2.7"));
    BOOST_TEST(moved.get()->h_addr_list[1] == nullptr);
}

// Into memory of every size and alignment: it fits or it is refused, and nothing is written behind.
BOOST_AUTO_TEST_CASE(a_copy_fits_or_is_refused) {
    host_entry entry;
    int host_error = 0;
    BOOST_REQUIRE(entry.look_up("192.0.2.7", host_error) == 0);
    bool fitted = false;
    for (std::size_t offset = 0; offset < 8; ++offset) {
        for (std::size_t size = 0; size < 100; ++size) {
            std::vector<char> memory(offset + size + 1, '#');
            hostent copy{};
            const bool fits = entry.copy_to(copy, memory.data() + offset, size);
            BOOST_TEST(memory.back() == '#');
            if (fits) {
                BOOST_TEST(std::string(copy.h_name) == "192.0.2.7");
                BOOST_TEST(std::memcmp(copy.h_addr_list[0], entry.get()->h_addr_list[0], 4) == 0);
                BOOST_TEST(copy.h_aliases[0] == nullptr);
            } else {
                BOOST_TEST(copy.h_name == nullptr);
            }
            fitted |= fits;
        }
    }
    BOOST_TEST(fitted);
}

BOOST_AUTO_TEST_SUITE_END()
