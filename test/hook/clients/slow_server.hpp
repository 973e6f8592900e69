// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/clients/server_process.hpp"

namespace coir::test {

// slow_server.py, which answers when it is told to.
class slow_server {
public:
    static std::string missing() {
        if (!is_program("/usr/bin/openssl")) {  // which makes its certificate
            return "OpenSSL's program (openssl)";
        }
        return is_program("/usr/bin/python3") ? "" : "Python 3 (python3)";
    }

    // Has it stand in front of a memcached, too.
    void stand_before_memcached(int port) { memcached_behind_ = port; }

    void start() {
        if (!has_certificate_) {
            make_certificate(folder_.path());
            has_certificate_ = true;
        }
        std::vector<std::string> command = {
            "/usr/bin/python3", COIR_SLOW_SERVER,       "--http",        std::to_string(http_),
            "--https",          std::to_string(https_), "--certificate", folder_.path()};
        std::vector<int> ports = {http_, https_};
        if (memcached_behind_ > 0) {
            command.insert(command.end(), {"--memcached", std::to_string(memcached_),
                                           std::to_string(memcached_behind_)});
            ports.push_back(memcached_);
        }
        process_.start(command, folder_.path() + "/log", ports);
    }

    void kill() { process_.kill(); }

    int http() const noexcept { return http_; }
    int https() const noexcept { return https_; }
    int memcached() const noexcept { return memcached_; }
    std::string certificate() const { return folder_.path() + "/cert.pem"; }

private:
    const temporary_folder folder_;
    const int http_ = free_port();
    const int https_ = free_port();
    const int memcached_ = free_port();
    int memcached_behind_ = 0;
    bool has_certificate_ = false;
    server_process process_;
};

}  // namespace coir::test
