// SPDX-License-Identifier: BSL-1.0
#include <coir/net/endpoint.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

namespace data = boost::unit_test::data;
using coir::net::endpoint;
using coir::net::ip_address;
using coir::net::ip_version;

namespace {

struct text_pair {
    const char* given;
    const char* printed;
};

std::ostream& operator<<(std::ostream& out, const text_pair& p) { return out << p.given; }

// RFC 5952, section 4, and what it leaves to inet_ntop.
const std::vector<text_pair> addresses = {
    {"127.0.0.1", "127.0.0.1"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"::", "::"},
    {"::1", "::1"},
    {"2001:0db8::0001", "2001:db8::1"},
    {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
    {"fe80::1%7", "fe80::1%7"},
};

const std::vector<const char*> no_addresses = {
    "",
    " ",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.-4",
    "0x7f.0.0.1",
    "localhost",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "::g",
    "[::1]",
    "fe80::1%",
    "fe80::1%no-such-interface",
    "1.2.3.4%1",
    "fe80::1%-1",
    "fe80::1%4294967296",
    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
};

const std::vector<text_pair> endpoints = {
    {"127.0.0.1:8080", "127.0.0.1:8080"},
    {"0.0.0.0:0", "0.0.0.0:0"},
    {"1.2.3.4:65535", "1.2.3.4:65535"},
    {"[::1]:80", "[::1]:80"},
    {"[::]:443", "[::]:443"},
    {"[fe80::1%3]:1", "[fe80::1%3]:1"},
};

const std::vector<text_pair> no_endpoints = {
    {"", "no port"},
    {"127.0.0.1", "no port"},
    {"localhost:80", "no IPv4 address"},
    {":80", "no IPv4 address"},
    {"127.0.0.1:", "no number"},
    {"127.0.0.1:65536", "no number"},
    {"127.0.0.1:-1", "no number"},
    {"127.0.0.1:+1", "no number"},
    {"127.0.0.1: 1", "no number"},
    {"127.0.0.1:1x", "no number"},
    {"127.0.0.1:http", "no number"},
    {"::1:80", "brackets"},
    {"[::1]", "brackets"},
    {"[::1]80", "brackets"},
    {"[127.0.0.1]:80", "no IPv6 address"},
    {"[]:80", "no IPv6 address"},
    {"[::1:80", "brackets"},
};

ip_address random_address(std::mt19937& random) {
    std::array<std::uint8_t, 16> bytes{};
    // Zeros are what makes the short forms.
    std::generate(bytes.begin(), bytes.end(),
                  [&] { return static_cast<std::uint8_t>(random() % 3 == 0 ? random() : 0U); });
    if (random() % 2 == 0) {
        return ip_address::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
    }
    return ip_address::v6(bytes, random() % 4 == 0 ? static_cast<std::uint32_t>(random()) : 0U);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_endpoint)

BOOST_DATA_TEST_CASE(an_address_is_read_and_printed_as_rfc_5952_says, data::make(addresses), pair) {
    BOOST_TEST(ip_address::parse(pair.given).to_string() == pair.printed);
}

BOOST_DATA_TEST_CASE(what_is_no_address_is_refused_by_name, data::make(no_addresses), text) {
    BOOST_TEST(!ip_address::try_parse(text).has_value());
    try {
        ip_address::parse(text);
        BOOST_FAIL("no exception");
    } catch (const std::invalid_argument& e) {
        BOOST_TEST(std::string(e.what()).find("'" + std::string(text) + "'") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_zero_byte_does_not_end_the_text) {
    BOOST_TEST(!ip_address::try_parse(std::string("1.2.3.4\0", 8)).has_value());
    BOOST_TEST(!endpoint::try_parse(std::string("1.2.3.4:80\0", 11)).has_value());
}

BOOST_AUTO_TEST_CASE(the_loopback_interface_can_be_named) {
    // Every system that has loopback calls it one of these.
    const auto linux_name = ip_address::try_parse("fe80::1%lo");
    const auto bsd_name = ip_address::try_parse("fe80::1%lo0");
    BOOST_TEST((linux_name.has_value() || bsd_name.has_value()));
    BOOST_TEST((linux_name ? *linux_name : *bsd_name).scope_id() > 0U);
}

BOOST_DATA_TEST_CASE(an_endpoint_is_read_and_printed, data::make(endpoints), pair) {
    BOOST_TEST(endpoint::parse(pair.given).to_string() == pair.printed);
}

BOOST_DATA_TEST_CASE(what_is_no_endpoint_is_refused_by_name_and_reason, data::make(no_endpoints),
                     pair) {
    BOOST_TEST(!endpoint::try_parse(pair.given).has_value());
    try {
        endpoint::parse(pair.given);
        BOOST_FAIL("no exception");
    } catch (const std::invalid_argument& e) {
        const std::string what = e.what();
        BOOST_TEST(what.find("'" + std::string(pair.given) + "'") != std::string::npos);
        BOOST_TEST(what.find(pair.printed) != std::string::npos, what);
    }
}

BOOST_AUTO_TEST_CASE(the_defaults_are_zero) {
    BOOST_TEST(ip_address().to_string() == "0.0.0.0");
    BOOST_TEST(endpoint().to_string() == "0.0.0.0:0");
    BOOST_TEST(ip_address() == ip_address::any());
}

BOOST_AUTO_TEST_CASE(there_are_names_for_the_usual_addresses) {
    BOOST_TEST(ip_address::any(ip_version::v6).to_string() == "::");
    BOOST_TEST(ip_address::loopback().to_string() == "127.0.0.1");
    BOOST_TEST(ip_address::loopback(ip_version::v6).to_string() == "::1");
    BOOST_TEST(ip_address::loopback().is_v4());
    BOOST_TEST(ip_address::loopback(ip_version::v6).is_v6());
}

BOOST_AUTO_TEST_CASE(both_versions_of_the_same_bytes_differ) {
    BOOST_TEST(ip_address::any() != ip_address::any(ip_version::v6));
    BOOST_TEST(ip_address::any() < ip_address::any(ip_version::v6));
    std::hash<ip_address> hash;
    BOOST_TEST(hash(ip_address::any()) != hash(ip_address::any(ip_version::v6)));
}

// Goal: printing and reading are each other's inverse, and order and hash agree with equality.
// Method: random values, many zero bytes among them, from a seed that is printed.
BOOST_AUTO_TEST_CASE(random_endpoints_survive_the_round_trip) {
    const std::uint32_t seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    BOOST_TEST_CONTEXT("seed " << seed) {
        std::mt19937 random(seed);
        std::set<endpoint> ordered;
        std::unordered_set<endpoint> hashed;
        for (int i = 0; i < 5000; ++i) {
            const endpoint e(random_address(random), static_cast<std::uint16_t>(random()));
            BOOST_TEST_REQUIRE(endpoint::parse(e.to_string()) == e);
            BOOST_TEST_REQUIRE(ordered.insert(e).second == hashed.insert(e).second);
        }
        BOOST_TEST(ordered.size() == hashed.size());
    }
}

// Goal: no text makes the parser read past it or throw another exception. Method: mutations of good
// texts, from a seed that is printed; sanitizers watch.
BOOST_AUTO_TEST_CASE(random_texts_are_read_or_refused) {
    const std::uint32_t seed = std::random_device{}();
    BOOST_TEST_CONTEXT("seed " << seed) {
        std::mt19937 random(seed);
        const std::string alphabet = "0123456789abcdef:.[]%\0 xlo";
        for (int i = 0; i < 20'000; ++i) {
            std::string text = endpoints[random() % endpoints.size()].given;
            for (std::uint32_t changes = random() % 4; changes > 0 && !text.empty(); --changes) {
                const std::size_t at = random() % text.size();
                const char letter = alphabet[random() % alphabet.size()];
                if (random() % 2 == 0) {
                    text[at] = letter;
                } else if (random() % 2 == 0) {
                    text.insert(at, 1, letter);
                } else {
                    text.erase(at, 1);
                }
            }
            if (const auto e = endpoint::try_parse(text)) {
                BOOST_TEST_REQUIRE(endpoint::parse(e->to_string()) == *e);
            } else {
                BOOST_REQUIRE_THROW(endpoint::parse(text), std::invalid_argument);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(endpoints_print_into_streams) {
    std::ostringstream out;
    out << ip_address::loopback() << ' ' << endpoint::parse("[::1]:80");
    BOOST_TEST(out.str() == "127.0.0.1 [::1]:80");
}

BOOST_AUTO_TEST_SUITE_END()
