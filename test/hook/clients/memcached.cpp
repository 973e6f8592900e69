// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/client.hpp"
#include "hook/clients/machine.hpp"
#include "hook/clients/slow_server.hpp"

#include <libmemcached/memcached.h>
#include <sys/resource.h>
#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

constexpr const char* server = "/usr/bin/memcached";

class memcached_client final : public client {
public:
    std::string name() const override { return "libmemcached"; }
    std::string missing() const override {
        return is_program(server) ? slow_server::missing() : "memcached";
    }

    std::string versions() const override {
        return std::string("libmemcached ") + ::memcached_lib_version() + " with memcached " +
               version_said_by(std::string(server) + " --version");
    }

    void start() override {
        // As many as 2,000 calls need, or as there may be: it ends if it cannot have them.
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        const auto most = std::min<rlim_t>(4100, limit.rlim_cur - 100);
        memcached_.start({server, "-l", "127.0.0.1", "-p", std::to_string(port_), "-U", "0", "-u",
                          "nobody", "-c", std::to_string(most)},
                         folder_.path() + "/log", {port_});
        slow_.stand_before_memcached(port_);
        slow_.start();
    }

    void kill() override {
        slow_.kill();
        memcached_.kill();
    }

    void call(milliseconds delay) override {
        const connection c(slow_.memcached());
        const std::string key = "wait:" + std::to_string(delay.count());
        memcached_return_t result{};
        char* const value =
            ::memcached_get(c.raw, key.data(), key.size(), nullptr, nullptr, &result);
        std::free(value);
        if (result != MEMCACHED_NOTFOUND) {
            throw client_error(::memcached_strerror(c.raw, result));
        }
        // It says "not found" where a call has failed, too: the errno tells.
        if (const int error = ::memcached_last_error_errno(c.raw); error != 0) {
            throw client_error(std::string("not found: ") + std::strerror(error));
        }
    }

private:
    struct connection {
        explicit connection(int port) : raw(::memcached_create(nullptr)) {
            ::memcached_behavior_set(raw, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, 60'000);
            ::memcached_server_add(raw, "127.0.0.1", static_cast<in_port_t>(port));
        }
        connection(const connection&) = delete;
        connection& operator=(const connection&) = delete;
        ~connection() { ::memcached_free(raw); }

        memcached_st* raw;
    };

    const temporary_folder folder_;
    const int port_ = free_port();
    server_process memcached_;
    slow_server slow_;
};

}  // namespace

void add_memcached(client_list& clients) {
    clients.push_back(std::make_unique<memcached_client>());
}

}  // namespace coir::test
