// SPDX-License-Identifier: BSL-1.0
// No name server is asked: numbers, and what /etc/hosts says of localhost.
#include "base/system_calls.hpp"
#include "integration/posix/law.hpp"
#include "support/system_calls.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>

#include <netinet/in.h>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>

using namespace coir::test;
namespace posix = coir::posix;
using coir::detail::system_calls;

namespace {

// Runs it in a fiber, on a plain thread, and compares.
template <class F>
void check_same(F ask) {
    const auto on_libc = ask();
    decltype(ask()) in_fiber;
    coir::run([&] { in_fiber = ask(); });
    BOOST_CHECK_EQUAL_COLLECTIONS(in_fiber.begin(), in_fiber.end(), on_libc.begin(), on_libc.end());
}

std::string text_of(const sockaddr* address, socklen_t size) {
    char host[100] = {};
    char service[40] = {};
    ::getnameinfo(address, size, host, sizeof host, service, sizeof service,
                  NI_NUMERICHOST | NI_NUMERICSERV);
    return std::string(host) + " " + service;
}

std::vector<std::string> addresses(const char* host, const char* service, const addrinfo* hints) {
    addrinfo* list = nullptr;
    const int code = posix::getaddrinfo(host, service, hints, &list);
    std::vector<std::string> lines{std::to_string(code)};
    if (code == 0) {
        for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
            lines.push_back(text_of(one->ai_addr, one->ai_addrlen));
        }
        posix::freeaddrinfo(list);
    }
    return lines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_names)

BOOST_AUTO_TEST_CASE(getaddrinfo_answers_as_libc_does) {
    addrinfo stream{};
    stream.ai_socktype = SOCK_STREAM;
    addrinfo numeric = stream;
    numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo wrong{};
    wrong.ai_family = 12345;
    check_same([&] { return addresses("localhost", "80", &stream); });
    check_same([&] { return addresses("127.0.0.1", "http", nullptr); });
    check_same([&] { return addresses("::1", "443", &numeric); });
    check_same([&] { return addresses("localhost", "443", &numeric); });
    check_same([&] { return addresses(nullptr, "80", &stream); });
    check_same([&] { return addresses(nullptr, nullptr, nullptr); });
    check_same([&] { return addresses("127.0.0.1", "no such service", &stream); });
    check_same([&] { return addresses("127.0.0.1", "80", &wrong); });
}

BOOST_AUTO_TEST_CASE(getnameinfo_answers_as_libc_does) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(80);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto ask = [&](socklen_t host_size, socklen_t service_size, int flags) {
        return [=] {
            std::string host(host_size, '.');
            std::string service(service_size, '.');
            const int code = posix::getnameinfo(
                reinterpret_cast<const sockaddr*>(&address), sizeof address, host.data(), host_size,
                service_size > 0 ? service.data() : nullptr, service_size, flags);
            return code == 0 ? std::vector<std::string>{"0", host.c_str(), service.c_str()}
                             : std::vector<std::string>{std::to_string(code)};
        };
    };
    check_same(ask(100, 40, 0));
    check_same(ask(100, 0, 0));
    check_same(ask(100, 40, NI_NUMERICHOST | NI_NUMERICSERV));
    check_same(ask(3, 40, 0));
}

// A name service that takes long: others go on, and a cancellation does not wait for it.
BOOST_AUTO_TEST_CASE(a_slow_look_up_parks_its_fiber_alone) {
    std::atomic<int> started{0};
    std::atomic<int> finished{0};
    std::atomic<bool> answer{false};
    const replace_system_call<&system_calls::getaddrinfo> slow(
        [&](const char* host, const char*, const addrinfo*, addrinfo**) {
            ++started;
            while (!answer) {
                std::this_thread::sleep_for(milliseconds(1));
            }
            must(std::strcmp(host, "a.host") == 0);
            ++finished;
            return EAI_NONAME;
        });
    coir::run([&] {
        int code = 0;
        int cancelled_code = 0;
        int cancelled_errno = 0;
        const auto look_up = [] {
            char host[] = "a.host";
            addrinfo* list = nullptr;
            const int result = posix::getaddrinfo(host, nullptr, nullptr, &list);
            std::memset(host, 'x', sizeof host - 1);  // the call works on a copy
            return result;
        };
        coir::fiber patient([&] { code = look_up(); });
        coir::fiber cancelled([&] {
            cancelled_code = look_up();
            cancelled_errno = errno;
        });
        while (started < 2) {
            posix::usleep(1'000);
        }
        cancelled.cancel();
        cancelled.join();
        BOOST_TEST(cancelled_code == EAI_SYSTEM);
        BOOST_TEST(cancelled_errno == ECANCELED);
        BOOST_TEST(finished == 0);
        answer = true;
        patient.join();
        BOOST_TEST(code == EAI_NONAME);
    });
    while (finished < 2) {  // the one that was left behind comes to its end before the guard goes
        std::this_thread::sleep_for(milliseconds(1));
    }
}

BOOST_AUTO_TEST_SUITE_END()
