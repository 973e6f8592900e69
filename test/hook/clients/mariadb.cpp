// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/client.hpp"
#include "hook/clients/machine.hpp"
#include "hook/clients/server_process.hpp"

#include <mysql.h>
#include <filesystem>
#include <utility>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

constexpr const char* server_program = "/usr/sbin/mariadbd";
constexpr const char* user = "mysql";

// One for both rows: a new one takes a while to make.
class server {
public:
    void start() {
        const std::string data = folder_.path() + "/data";
        if (!std::filesystem::exists(data)) {
            give_to(folder_.path(), user);
            server_process::run({"mariadb-install-db", "--no-defaults", "--datadir=" + data,
                                 "--skip-test-db", "--auth-root-authentication-method=normal"},
                                user);
            make_certificate(folder_.path(), user);
        }
        process_.start({server_program, "--no-defaults", "--datadir=" + data,
                        "--socket=" + folder_.path() + "/socket", "--port=" + std::to_string(port),
                        "--bind-address=127.0.0.1", "--max-connections=2100", "--back-log=2100",
                        "--skip-grant-tables", "--skip-networking=0", "--skip-name-resolve",
                        "--ssl-cert=" + folder_.path() + "/cert.pem",
                        "--ssl-key=" + folder_.path() + "/key.pem"},
                       folder_.path() + "/log", {port}, user);
    }

    void kill() { process_.kill(); }

    std::string certificate() const { return folder_.path() + "/cert.pem"; }

    const int port = free_port();

private:
    const temporary_folder folder_;
    server_process process_;
};

class mariadb_client final : public client {
public:
    mariadb_client(bool tls, std::shared_ptr<server> s) : tls_(tls), server_(std::move(s)) {
        // Once in the process, before there are two callers.
        ::mysql_library_init(0, nullptr, nullptr);
    }

    std::string name() const override {
        return tls_ ? "MariaDB Connector/C, TLS" : "MariaDB Connector/C";
    }

    std::string missing() const override {
        if (!is_program("/usr/bin/openssl")) {  // which makes its certificate
            return "OpenSSL's program (openssl)";
        }
        return is_program(server_program) ? "" : "MariaDB's server (mariadb-server)";
    }

    std::string versions() const override {
        return std::string("MariaDB Connector/C ") + ::mysql_get_client_info() + " with MariaDB " +
               version_said_by(std::string(server_program) + " --version");
    }

    void start() override { server_->start(); }
    void kill() override { server_->kill(); }

    void call(milliseconds delay) override {
        const connection c(*server_, tls_);
        c.query("select sleep(" + std::to_string(double(delay.count()) / 1000) + ")");
    }

private:
    class connection {
    public:
        connection(const server& s, bool tls) : raw_(::mysql_init(nullptr)) {
            if (tls) {
                const my_bool yes = 1;
                ::mysql_optionsv(raw_, MYSQL_OPT_SSL_ENFORCE, &yes);
                ::mysql_optionsv(raw_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
                // Without, it parses the system's bundle of certificates for each connection, which
                // is milliseconds of computing.
                ::mysql_optionsv(raw_, MYSQL_OPT_SSL_CA, s.certificate().c_str());
            }
            if (::mysql_real_connect(raw_, "127.0.0.1", "test", nullptr, nullptr,
                                     static_cast<unsigned>(s.port), nullptr, 0) == nullptr) {
                const std::string message = ::mysql_error(raw_);
                ::mysql_close(raw_);
                throw client_error(message);
            }
        }
        connection(const connection&) = delete;
        connection& operator=(const connection&) = delete;
        ~connection() { ::mysql_close(raw_); }

        void query(const std::string& text) const {
            require(::mysql_query(raw_, text.c_str()) == 0);
            MYSQL_RES* const result = ::mysql_store_result(raw_);
            require(result != nullptr);
            const MYSQL_ROW row = ::mysql_fetch_row(result);
            const bool slept = row != nullptr && row[0] != nullptr && std::string(row[0]) == "0";
            ::mysql_free_result(result);
            require(slept);
        }

    private:
        void require(bool holds) const {
            if (!holds) {
                throw client_error(::mysql_error(raw_));
            }
        }

        MYSQL* raw_;
    };

    const bool tls_;
    const std::shared_ptr<server> server_;
};

}  // namespace

void add_mariadb(client_list& clients) {
    const auto both = std::make_shared<server>();
    clients.push_back(std::make_unique<mariadb_client>(false, both));
    clients.push_back(std::make_unique<mariadb_client>(true, both));
}

}  // namespace coir::test
