// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/blocking_socket.hpp"
#include "hook/clients/client.hpp"
#include "hook/clients/slow_server.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

std::string last_error() {
    char text[256] = "";
    const unsigned long code = ::ERR_get_error();
    ::ERR_error_string_n(code, text, sizeof text);
    ::ERR_clear_error();
    return code != 0 ? text : std::strerror(errno);
}

// OpenSSL on a socket that blocks.
class openssl_client final : public client {
public:
    std::string name() const override { return "OpenSSL on a blocking socket"; }
    std::string missing() const override { return slow_server::missing(); }
    std::string versions() const override {
        return std::string("OpenSSL ") + ::OpenSSL_version(OPENSSL_VERSION_STRING);
    }
    void kill() override { server_.kill(); }

    void start() override {
        server_.start();
        if (context_ == nullptr) {
            context_ = ::SSL_CTX_new(::TLS_client_method());
            ::SSL_CTX_load_verify_file(context_, server_.certificate().c_str());
            ::SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
        }
    }

    ~openssl_client() override { ::SSL_CTX_free(context_); }

    void call(milliseconds delay) override {
        const auto socket = connect_blocking(server_.https());
        const session s(context_, socket.get());
        const std::string number = std::to_string(delay.count());
        const std::string answer = s.ask("GET /" + number + " HTTP/1.0\r\n\r\n");
        const std::string end = "\r\n\r\nwaited " + number + "\n";
        if (answer.size() < end.size() || answer.substr(answer.size() - end.size()) != end) {
            throw client_error("a wrong answer: " + answer);
        }
    }

private:
    class session {
    public:
        session(SSL_CTX* context, int fd) : raw_(::SSL_new(context)) {
            ::SSL_set_fd(raw_, fd);
            if (::SSL_connect(raw_) != 1) {
                const std::string message = last_error();
                ::SSL_free(raw_);
                throw client_error(message);
            }
        }
        session(const session&) = delete;
        session& operator=(const session&) = delete;
        ~session() { ::SSL_free(raw_); }

        std::string ask(const std::string& request) const {
            require(::SSL_write(raw_, request.data(), static_cast<int>(request.size())) > 0);
            std::string answer;
            char buffer[1024];
            int got = 0;
            while ((got = ::SSL_read(raw_, buffer, sizeof buffer)) > 0) {
                answer.append(buffer, static_cast<std::size_t>(got));
            }
            // An end is an end. What an EAGAIN that was left behind would make of it is "again".
            require(::SSL_get_error(raw_, got) == SSL_ERROR_ZERO_RETURN);
            return answer;
        }

    private:
        void require(bool holds) const {
            if (!holds) {
                throw client_error(last_error());
            }
        }

        SSL* raw_;
    };

    slow_server server_;
    SSL_CTX* context_ = nullptr;
};

}  // namespace

void add_openssl(client_list& clients) { clients.push_back(std::make_unique<openssl_client>()); }

}  // namespace coir::test
