// SPDX-License-Identifier: BSL-1.0
// Hosts, services, users and groups, of the files in /etc.
#include "integration/posix/law.hpp"

#include <coir/run.hpp>

#include <netinet/in.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>

using namespace coir::test;
namespace posix = coir::posix;
namespace data = boost::unit_test::data;

namespace {

using lines = std::vector<std::string>;

// Runs it with libc on a plain thread and in a fiber, and compares.
template <class F>
void check_same(F ask) {
    const lines on_libc = ask();
    lines in_fiber;
    coir::run([&] { in_fiber = ask(); });
    BOOST_TEST(!on_libc.empty());
    BOOST_CHECK_EQUAL_COLLECTIONS(in_fiber.begin(), in_fiber.end(), on_libc.begin(), on_libc.end());
}

// The pointers of a list that ends with null. Where the caller's memory is not aligned, a list of
// libc's may not be either.
std::vector<char*> pointers_in(char** list) {
    std::vector<char*> all;
    for (const auto* place = reinterpret_cast<const char*>(list);; place += sizeof(char*)) {
        char* one = nullptr;
        std::memcpy(&one, place, sizeof one);
        if (one == nullptr) {
            return all;
        }
        all.push_back(one);
    }
}

lines lines_of(const hostent* entry) {
    if (entry == nullptr) {
        return {"none", std::to_string(h_errno)};
    }
    lines all{entry->h_name, std::to_string(entry->h_addrtype), std::to_string(entry->h_length)};
    for (const char* const alias : pointers_in(entry->h_aliases)) {
        all.emplace_back(alias);
    }
    for (const char* const address : pointers_in(entry->h_addr_list)) {
        all.emplace_back(address, static_cast<std::size_t>(entry->h_length));
    }
    return all;
}

lines lines_of(const servent* entry) {
    if (entry == nullptr) {
        return {"none"};
    }
    lines all{entry->s_name, entry->s_proto, std::to_string(ntohs(std::uint16_t(entry->s_port)))};
    for (const char* const alias : pointers_in(entry->s_aliases)) {
        all.emplace_back(alias);
    }
    return all;
}

lines lines_of(const passwd* entry) {
    if (entry == nullptr) {
        return {"none"};
    }
    return {entry->pw_name,  entry->pw_passwd, std::to_string(entry->pw_uid),
            entry->pw_gecos, entry->pw_dir,    entry->pw_shell};
}

lines lines_of(const group* entry) {
    if (entry == nullptr) {
        return {"none"};
    }
    lines all{entry->gr_name, entry->gr_passwd, std::to_string(entry->gr_gid)};
    for (const char* const member : pointers_in(entry->gr_mem)) {
        all.emplace_back(member);
    }
    return all;
}

// Every byte of the caller's memory counts: what does not fit is said to, and where it lies, it
// lies as libc puts it.
template <class Entry, class LookUp>
void check_same_in_any_memory(LookUp look_up) {
    for (const std::size_t size : {0U, 1U, 20U, 40U, 100U, 1000U, 10000U}) {
        for (const std::size_t offset : {0U, 1U, 8U}) {
            check_same([&] {
                alignas(16) static char memory[11'000];
                char* const buffer = memory + offset;
                Entry entry{};
                Entry* found = nullptr;
                int host_error = 77;
                errno = 0;
                const int error = look_up(&entry, buffer, size, &found, &host_error);
                lines all = lines_of(found);
                all.push_back(std::to_string(error) + " " + std::to_string(host_error));
                if (found != nullptr) {
                    all.emplace_back(found == &entry ? "the caller's" : "somebody's");
                }
                return all;
            });
        }
    }
}

const std::uint32_t loopback = htonl(INADDR_LOOPBACK);

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_entries)

BOOST_DATA_TEST_CASE(hosts_by_name, data::make({"localhost", "127.0.0.1", "::1"}), name) {
    check_same([&] { return lines_of(posix::gethostbyname(name)); });
    check_same_in_any_memory<hostent>(
        [&](auto... out) { return posix::gethostbyname_r(name, out...); });
    for (const int family : {AF_INET, AF_INET6}) {
        check_same([&] { return lines_of(posix::gethostbyname2(name, family)); });
        check_same_in_any_memory<hostent>(
            [&](auto... out) { return posix::gethostbyname2_r(name, family, out...); });
    }
}

BOOST_AUTO_TEST_CASE(hosts_by_address) {
    for (const socklen_t length : {4U, 3U}) {
        check_same([&] { return lines_of(posix::gethostbyaddr(&loopback, length, AF_INET)); });
        check_same_in_any_memory<hostent>([&](auto... out) {
            return posix::gethostbyaddr_r(&loopback, length, AF_INET, out...);
        });
    }
}

BOOST_DATA_TEST_CASE(services, data::make({"tcp", "udp", "no such protocol"}), protocol) {
    for (const char* const name : {"http", "domain", "no such service"}) {
        check_same([&] { return lines_of(posix::getservbyname(name, protocol)); });
        check_same([&] { return lines_of(posix::getservbyname(name, nullptr)); });
        check_same_in_any_memory<servent>(
            [&](servent* e, char* b, std::size_t s, servent** r, int*) {
                return posix::getservbyname_r(name, protocol, e, b, s, r);
            });
    }
    for (const int port : {80, 53, 1}) {
        const int number = htons(static_cast<std::uint16_t>(port));
        check_same([&] { return lines_of(posix::getservbyport(number, protocol)); });
        check_same([&] { return lines_of(posix::getservbyport(number, nullptr)); });
        check_same_in_any_memory<servent>(
            [&](servent* e, char* b, std::size_t s, servent** r, int*) {
                return posix::getservbyport_r(number, protocol, e, b, s, r);
            });
    }
}

BOOST_DATA_TEST_CASE(users_and_groups, data::make({"root", "daemon", "no such name"}), name) {
    check_same([&] { return lines_of(posix::getpwnam(name)); });
    check_same([&] { return lines_of(posix::getgrnam(name)); });
    check_same_in_any_memory<passwd>([&](passwd* e, char* b, std::size_t s, passwd** r, int*) {
        return posix::getpwnam_r(name, e, b, s, r);
    });
    check_same_in_any_memory<group>([&](group* e, char* b, std::size_t s, group** r, int*) {
        return posix::getgrnam_r(name, e, b, s, r);
    });
    for (const unsigned int number : {0U, 1U, 3'999'999'999U}) {
        check_same([&] { return lines_of(posix::getpwuid(number)); });
        check_same([&] { return lines_of(posix::getgrgid(number)); });
        check_same_in_any_memory<passwd>([&](passwd* e, char* b, std::size_t s, passwd** r, int*) {
            return posix::getpwuid_r(number, e, b, s, r);
        });
        check_same_in_any_memory<group>([&](group* e, char* b, std::size_t s, group** r, int*) {
            return posix::getgrgid_r(number, e, b, s, r);
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
