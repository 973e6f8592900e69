// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/client.hpp"
#include "hook/clients/machine.hpp"
#include "hook/clients/server_process.hpp"

#include <libpq-fe.h>
#include <filesystem>
#include <utility>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

constexpr const char* user = "postgres";  // PostgreSQL refuses to run as root

// Debian keeps the server's programs out of the path, one folder a version.
std::string program(const std::string& name) {
    std::string newest;
    std::error_code none;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
        const std::string path = version.path().string() + "/bin/" + name;
        if (is_program(path) && path > newest) {
            newest = path;
        }
    }
    return newest;
}

std::string seconds(milliseconds time) { return std::to_string(double(time.count()) / 1000); }

// One for all rows: a new one takes a while to make.
class server {
public:
    void start() {
        const std::string data = folder_.path() + "/data";
        if (!std::filesystem::exists(data)) {
            give_to(folder_.path(), user);
            server_process::run({program("initdb"), "--pgdata", data, "--auth", "trust",
                                 "--no-sync", "--no-locale", "--username", "test"},
                                user);
            make_certificate(folder_.path(), user);
        }
        std::filesystem::remove(data + "/postmaster.pid");
        process_.start({program("postgres"), "-D", data, "-p", std::to_string(port), "-h",
                        "127.0.0.1", "-k", "", "-c", "fsync=off", "-c", "max_connections=2100",
                        "-c", "ssl=on", "-c", "ssl_cert_file=" + folder_.path() + "/cert.pem", "-c",
                        "ssl_key_file=" + folder_.path() + "/key.pem"},
                       folder_.path() + "/log", {port}, user);
    }

    void kill() { process_.kill(); }

    const int port = free_port();

private:
    const temporary_folder folder_;
    server_process process_;
};

enum class protocol { plain, tls, pipeline };

class libpq_client final : public client {
public:
    libpq_client(protocol p, std::shared_ptr<server> s) : protocol_(p), server_(std::move(s)) {}

    std::string name() const override {
        switch (protocol_) {
            case protocol::plain: return "libpq";
            case protocol::tls: return "libpq, TLS";
            case protocol::pipeline: return "libpq, pipeline mode";
        }
        return {};
    }

    std::string missing() const override {
        if (!is_program("/usr/bin/openssl")) {  // which makes its certificate
            return "OpenSSL's program (openssl)";
        }
        return program("postgres").empty() ? "PostgreSQL's server (postgresql)" : "";
    }

    std::string versions() const override {
        const int version = ::PQlibVersion();
        return "libpq " + std::to_string(version / 10'000) + '.' +
               std::to_string(version % 10'000) + " with PostgreSQL " +
               version_said_by(program("postgres") + " --version");
    }

    void start() override {
        server_->start();
        await_answer(*this);
    }
    void kill() override { server_->kill(); }

    void call(milliseconds delay) override {
        const connection c(*this);
        if (protocol_ == protocol::pipeline) {
            c.query_in_pipeline(delay);
        } else {
            c.query(delay);
        }
    }

private:
    class connection {
    public:
        explicit connection(const libpq_client& owner)
            : raw_(::PQconnectdb(owner.address().c_str())) {
            if (::PQstatus(raw_) != CONNECTION_OK) {
                const std::string message = ::PQerrorMessage(raw_);
                ::PQfinish(raw_);
                throw client_error(message);
            }
        }
        connection(const connection&) = delete;
        connection& operator=(const connection&) = delete;
        ~connection() { ::PQfinish(raw_); }

        void query(milliseconds delay) const {
            const std::string text = "select 'slept' from pg_sleep(" + seconds(delay) + ")";
            check(::PQexec(raw_, text.c_str()));
        }

        // Three queries are under way before the first answer is asked for.
        void query_in_pipeline(milliseconds delay) const {
            require(::PQenterPipelineMode(raw_) == 1);
            const std::string text = "select 'slept' from pg_sleep(" + seconds(delay / 4) + ")";
            for (int i = 0; i < 4; ++i) {
                require(::PQsendQueryParams(raw_, text.c_str(), 0, nullptr, nullptr, nullptr,
                                            nullptr, 0) == 1);
            }
            require(::PQpipelineSync(raw_) == 1);
            for (int i = 0; i < 4; ++i) {
                check(::PQgetResult(raw_));
                require(::PQgetResult(raw_) == nullptr);
            }
            PGresult* const end = ::PQgetResult(raw_);
            const bool in_order = ::PQresultStatus(end) == PGRES_PIPELINE_SYNC;
            ::PQclear(end);
            require(in_order);
        }

    private:
        void check(PGresult* result) const {
            const bool good = ::PQresultStatus(result) == PGRES_TUPLES_OK &&
                              ::PQntuples(result) == 1 &&
                              std::string(::PQgetvalue(result, 0, 0)) == "slept";
            ::PQclear(result);
            require(good);
        }

        void require(bool holds) const {
            if (!holds) {
                throw client_error(::PQerrorMessage(raw_));
            }
        }

        PGconn* raw_;
    };

    std::string address() const {
        return "host=127.0.0.1 dbname=postgres user=test port=" + std::to_string(server_->port) +
               (protocol_ == protocol::tls ? " sslmode=require" : " sslmode=disable") +
               " gssencmode=disable";
    }

    const protocol protocol_;
    const std::shared_ptr<server> server_;
};

}  // namespace

void add_libpq(client_list& clients) {
    const auto all = std::make_shared<server>();
    for (const protocol p : {protocol::plain, protocol::tls, protocol::pipeline}) {
        clients.push_back(std::make_unique<libpq_client>(p, all));
    }
}

}  // namespace coir::test
