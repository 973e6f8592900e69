// SPDX-License-Identifier: BSL-1.0
// getaddrinfo(3) and gethostbyname(3), of a name service that takes as long as the name says
// (nss_coirslow.cpp).
#include "hook/clients/local_calls.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nss.h>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

class name_service_client : public local_calls {
public:
    // libc reads its configuration with the first name that it looks up.
    name_service_client() { ::__nss_configure_lookup("hosts", "coirslow"); }

    // A call whose caller has gone on runs to its end, and nothing can be done about it.
    milliseconds endless() const override { return milliseconds(2500); }
    capacity most_at_once() const override { return hundreds("a thread for each"); }

protected:
    static std::string host(milliseconds delay) {
        return "after-" + std::to_string(delay.count()) + "-ms";
    }

    static void check(in_addr address) {
        if (address.s_addr != htonl(0x0a000001)) {
            throw client_error("a wrong address");
        }
    }
};

class getaddrinfo_client final : public name_service_client {
public:
    std::string name() const override { return "getaddrinfo"; }

    void call(milliseconds delay) override {
        addrinfo hints{};
        hints.ai_family = AF_INET;
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        const int error = ::getaddrinfo(host(delay).c_str(), "80", &hints, &found);
        require(error != EAI_SYSTEM);
        if (error != 0) {
            throw client_error(::gai_strerror(error));
        }
        const in_addr address = reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr;
        ::freeaddrinfo(found);
        check(address);
    }
};

class gethostbyname_client final : public name_service_client {
public:
    std::string name() const override { return "gethostbyname"; }

    void call(milliseconds delay) override {
        const hostent* const found = ::gethostbyname(host(delay).c_str());
        require(found != nullptr);
        check(*reinterpret_cast<const in_addr*>(found->h_addr_list[0]));
    }
};

}  // namespace

void add_name_service(client_list& clients) {
    clients.push_back(std::make_unique<getaddrinfo_client>());
    clients.push_back(std::make_unique<gethostbyname_client>());
}

}  // namespace coir::test
