// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/blocking_socket.hpp"
#include "hook/clients/client.hpp"
#include "hook/clients/machine.hpp"
#include "hook/clients/server_process.hpp"

#include <libssh2.h>
#include <pwd.h>
#include <sys/stat.h>
#include <filesystem>
#include <fstream>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

constexpr const char* server = "/usr/sbin/sshd";

class libssh2_client final : public client {
public:
    libssh2_client() { ::libssh2_init(0); }

    std::string name() const override { return "libssh2"; }
    std::string missing() const override {
        return is_program(server) ? "" : "OpenSSH's server (openssh-server)";
    }
    std::string versions() const override {
        return std::string("libssh2 ") + ::libssh2_version(0) + " with OpenSSH " +
               version_said_by("ssh -V");
    }
    capacity most_at_once() const override {
        return hundreds("four processes of sshd's, and a key exchange, for each");
    }

    // As whoever we are, with a key of our own.
    void start() override {
        const std::string folder = folder_.path();
        if (!std::filesystem::exists(folder + "/host")) {
            for (const char* key : {"/host", "/user"}) {
                server_process::run(
                    {"ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-f", folder + key});
            }
            std::ofstream(folder + "/config")
                << "ListenAddress 127.0.0.1:" << port_ << "\nHostKey " << folder
                << "/host\nAuthorizedKeysFile " << folder << "/user.pub\nPidFile " << folder
                << "/pid\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n"
                << "MaxStartups 200\nMaxSessions 200\n"
                // bash reads ~/.bashrc where sshd starts it, and who knows what is in there.
                << "SetEnv HOME=" << folder << '\n';
            // What sshd drops its privileges into.
            if (::geteuid() == 0) {
                std::filesystem::create_directories("/run/sshd");
            }
        }
        server_.start({server, "-D", "-e", "-f", folder + "/config"}, folder + "/log", {port_});
    }

    void kill() override { server_.kill(); }

    void call(milliseconds delay) override {
        const auto socket = connect_blocking(port_);
        const session s(socket.get(), folder_.path() + "/user");
        const std::string answer =
            s.run("sleep " + std::to_string(double(delay.count()) / 1000) + " && echo slept");
        if (answer != "slept\n") {
            throw client_error("a wrong answer: " + answer);
        }
    }

private:
    class session {
    public:
        session(int fd, const std::string& key) : raw_(::libssh2_session_init()) {
            try {
                require(::libssh2_session_handshake(raw_, fd) == 0);
                const passwd* const self = ::getpwuid(::geteuid());
                require(::libssh2_userauth_publickey_fromfile(raw_, self->pw_name,
                                                              (key + ".pub").c_str(), key.c_str(),
                                                              nullptr) == 0);
            } catch (...) {
                ::libssh2_session_free(raw_);
                throw;
            }
        }
        session(const session&) = delete;
        session& operator=(const session&) = delete;
        ~session() { ::libssh2_session_free(raw_); }

        std::string run(const std::string& command) const {
            LIBSSH2_CHANNEL* const channel = ::libssh2_channel_open_session(raw_);
            require(channel != nullptr);
            std::string answer;
            ssize_t got = ::libssh2_channel_exec(channel, command.c_str());
            if (got == 0) {
                char buffer[256];
                while ((got = ::libssh2_channel_read(channel, buffer, sizeof buffer)) > 0) {
                    answer.append(buffer, static_cast<std::size_t>(got));
                }
            }
            const std::string message = got < 0 ? last_error() : "";
            ::libssh2_channel_free(channel);
            if (got < 0) {
                throw client_error(message);
            }
            return answer;
        }

    private:
        std::string last_error() const {
            char* message = nullptr;
            ::libssh2_session_last_error(raw_, &message, nullptr, 0);
            return message != nullptr && *message != '\0' ? message : "libssh2 does not say";
        }

        void require(bool holds) const {
            if (!holds) {
                throw client_error(last_error());
            }
        }

        LIBSSH2_SESSION* raw_;
    };

    const temporary_folder folder_;
    const int port_ = free_port();
    server_process server_;
};

}  // namespace

void add_libssh2(client_list& clients) { clients.push_back(std::make_unique<libssh2_client>()); }

}  // namespace coir::test
