// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/client.hpp"
#include "hook/clients/machine.hpp"
#include "hook/clients/server_process.hpp"

#include <hiredis/hiredis.h>
#include <algorithm>
#include <atomic>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

constexpr const char* server = "/usr/bin/redis-server";

class hiredis_client final : public client {
public:
    std::string name() const override { return "hiredis"; }
    std::string missing() const override {
        return is_program(server) ? "" : "Redis' server (redis-server)";
    }
    std::string versions() const override {
        return "hiredis " + std::to_string(HIREDIS_MAJOR) + '.' + std::to_string(HIREDIS_MINOR) +
               '.' + std::to_string(HIREDIS_PATCH) + " with Redis " +
               version_said_by(std::string(server) + " --version");
    }

    void start() override {
        server_.start({server, "--port", std::to_string(port_), "--bind", "127.0.0.1", "--save", "",
                       "--maxclients", "4100", "--tcp-backlog", "4096", "--dir", folder_.path()},
                      folder_.path() + "/log", {port_});
    }

    void kill() override { server_.kill(); }

    // Waits for an element of a list that nobody fills. To Redis no time is for ever.
    void call(milliseconds delay) override {
        delay = std::max(delay, milliseconds(1));
        const connection c(port_);
        const std::string list = "empty:" + std::to_string(++lists_);
        const auto* const reply = static_cast<redisReply*>(
            ::redisCommand(c.raw, "BLPOP %s %s", list.c_str(),
                           std::to_string(double(delay.count()) / 1000).c_str()));
        if (reply == nullptr) {
            throw client_error(c.raw->errstr);
        }
        const bool nothing_came = reply->type == REDIS_REPLY_NIL;
        ::freeReplyObject(const_cast<redisReply*>(reply));
        if (!nothing_came) {
            throw client_error("a list that nobody fills has an element");
        }
    }

private:
    struct connection {
        explicit connection(int port) : raw(::redisConnect("127.0.0.1", port)) {
            if (raw == nullptr || raw->err != 0) {
                const std::string message = raw != nullptr ? raw->errstr : "no memory";
                ::redisFree(raw);
                throw client_error(message);
            }
        }
        connection(const connection&) = delete;
        connection& operator=(const connection&) = delete;
        ~connection() { ::redisFree(raw); }

        redisContext* raw;
    };

    const temporary_folder folder_;
    const int port_ = free_port();
    server_process server_;
    std::atomic<int> lists_{0};
};

}  // namespace

void add_hiredis(client_list& clients) { clients.push_back(std::make_unique<hiredis_client>()); }

}  // namespace coir::test
