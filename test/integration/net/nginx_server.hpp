// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "loopback.hpp"
#include "support/temporary.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <fstream>
#include <string>
#include <utility>
#include <vector>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace coir::test {

// Debian's nginx as a child of this process, as whoever runs it, on ports and in a folder of its
// own.
//
// Its ports are kept free for it by sockets that are bound to them and do not listen: with
// SO_REUSEADDR, which nginx sets too, a port may be bound twice as long as one listens. (nginx can
// inherit listening sockets, but not without its master process, which could leave workers behind.)
class nginx_server {
public:
    static constexpr const char* program = "/usr/sbin/nginx";
    static bool installed() { return ::access(program, X_OK) == 0; }

    // `servers` is the configuration inside of `http { }`. In it, `@folder@` is the folder and
    // `@port0@` and so on are the ports.
    nginx_server(std::size_t ports, std::string servers) : kept_(ports) {
        for (std::size_t i = 0; i < ports; ++i) {
            ports_.push_back(std::to_string(kept_[i].where.port()));
            replace_all(servers, "@port" + std::to_string(i) + "@", "127.0.0.1:" + ports_.back());
        }
        replace_all(servers, "@folder@", folder_);
        configuration_ = std::move(servers);
    }
    nginx_server(const nginx_server&) = delete;
    nginx_server& operator=(const nginx_server&) = delete;
    ~nginx_server() { stop(); }

    const std::string& port(std::size_t i) const { return ports_.at(i); }

    void add_file(const std::string& name, const std::string& content) const {
        std::ofstream(folder_ + '/' + name, std::ios::binary) << content;
    }

    void start() {
        std::ofstream(folder_ + "/nginx.conf") << main_configuration() << "http {\n"
                                               << http_configuration() << configuration_ << "}\n";
        const std::string configuration_file = folder_ + "/nginx.conf";
        child_ = ::fork();
        BOOST_TEST_REQUIRE(child_ >= 0);
        if (child_ == 0) {
#ifdef __linux__
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // not even a crash of the test leaves it behind
#endif
            ::execl(program, program, "-e", "stderr", "-p", folder_.c_str(), "-c",
                    configuration_file.c_str(), static_cast<char*>(nullptr));
            ::_exit(127);
        }
        wait_until_it_listens();
    }

    void stop() {
        if (child_ <= 0) {
            return;
        }
        ::kill(child_, SIGTERM);
        for (int i = 0; i < 500; ++i) {
            if (::waitpid(child_, nullptr, WNOHANG) == child_) {
                child_ = -1;
                return;
            }
            ::usleep(10'000);
        }
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        child_ = -1;
    }

private:
    void wait_until_it_listens() const {
        for (const refusing_endpoint& last : kept_) {
            std::error_code ec;
            do {
                BOOST_TEST_REQUIRE(::waitpid(child_, nullptr, WNOHANG) == 0, "nginx has ended");
                ::usleep(10'000);
                net::tcp_socket::connect(last.where, ec);
            } while (ec);
        }
    }

    static void replace_all(std::string& text, const std::string& from, const std::string& to) {
        for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
            text.replace(at, from.size(), to);
        }
    }

    std::string main_configuration() const {
        return "daemon off;\nmaster_process off;\nerror_log " + folder_ + "/error.log;\npid " +
               folder_ + "/pid;\nlock_file " + folder_ +
               "/lock;\nevents { worker_connections 256; }\n";
    }

    std::string http_configuration() const {
        std::string text = "access_log off;\ndefault_type text/plain;\nroot " + folder_ + ";\n";
        for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
            text += std::string(kind) + "_temp_path " + folder_ + '/' + kind + ";\n";
        }
        return text;
    }

    const temporary_folder files_;
    const std::string folder_ = files_.path();
    std::string configuration_;
    std::vector<refusing_endpoint> kept_;
    std::vector<std::string> ports_;
    pid_t child_ = -1;
};

}  // namespace coir::test
