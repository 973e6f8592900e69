// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/client.hpp"
#include "hook/clients/server_process.hpp"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <filesystem>
#include <fstream>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

// Debian's own command goes through su(1), to a user of its own.
constexpr const char* server = "/usr/lib/rabbitmq/bin/rabbitmq-server";
constexpr const char* name_server = "/usr/bin/epmd";
constexpr amqp_channel_t channel = 1;

std::string server_version() {
    const std::string prefix = "rabbitmq_server-";
    std::error_code none;
    for (const auto& folder : std::filesystem::directory_iterator("/usr/lib/rabbitmq/lib", none)) {
        const std::string name = folder.path().filename().string();
        if (name.compare(0, prefix.size(), prefix) == 0) {
            return name.substr(prefix.size());
        }
    }
    return {};
}

amqp_bytes_t bytes(const std::string& text) {
    return {text.size(), const_cast<char*>(text.data())};
}

std::string text(amqp_bytes_t bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

class connection {
public:
    explicit connection(int port) : raw_(::amqp_new_connection()) {
        try {
            const timeval patience{60, 0};
            ::amqp_set_handshake_timeout(raw_, &patience);
            amqp_socket_t* const socket = ::amqp_tcp_socket_new(raw_);
            require(::amqp_socket_open(socket, "127.0.0.1", port));
            require(::amqp_login(raw_, "/", 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN,
                                 "guest", "guest"));
            ::amqp_channel_open(raw_, channel);
            require(::amqp_get_rpc_reply(raw_));
        } catch (...) {
            ::amqp_destroy_connection(raw_);
            throw;
        }
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { ::amqp_destroy_connection(raw_); }

    // A message that nobody takes from its queue in time goes to ours.
    void await_message(milliseconds delay) {
        const std::string letters = declare_queue(amqp_empty_table);
        amqp_table_entry_t where_to[] = {
            entry("x-dead-letter-exchange", amqp_empty_bytes),
            entry("x-dead-letter-routing-key", bytes(letters)),
        };
        const std::string waiting = declare_queue({2, where_to});
        ::amqp_basic_consume(raw_, channel, bytes(letters), amqp_empty_bytes, 0, 1, 1,
                             amqp_empty_table);
        require(::amqp_get_rpc_reply(raw_));

        const std::string lifetime = std::to_string(delay.count());
        amqp_basic_properties_t properties{};
        properties._flags = AMQP_BASIC_EXPIRATION_FLAG;
        properties.expiration = bytes(lifetime);
        require(::amqp_basic_publish(raw_, channel, amqp_empty_bytes, bytes(waiting), 0, 0,
                                     &properties, ::amqp_cstring_bytes("slept")));
        amqp_envelope_t letter;
        require(::amqp_consume_message(raw_, &letter, nullptr, 0));
        const std::string body = text(letter.message.body);
        ::amqp_destroy_envelope(&letter);
        if (body != "slept") {
            throw client_error("a wrong message: " + body);
        }
    }

    void close() { require(::amqp_connection_close(raw_, AMQP_REPLY_SUCCESS)); }

private:
    static amqp_table_entry_t entry(const char* key, amqp_bytes_t value) {
        amqp_table_entry_t made{};
        made.key = ::amqp_cstring_bytes(key);
        made.value.kind = AMQP_FIELD_KIND_UTF8;
        made.value.value.bytes = value;
        return made;
    }

    // One of our own, which ends with the connection. Returns its name.
    std::string declare_queue(amqp_table_t arguments) {
        const amqp_queue_declare_ok_t* const made =
            ::amqp_queue_declare(raw_, channel, amqp_empty_bytes, 0, 0, 1, 1, arguments);
        require(::amqp_get_rpc_reply(raw_));
        return text(made->queue);
    }

    static void require(int status) {
        if (status != AMQP_STATUS_OK) {
            throw client_error(::amqp_error_string2(status));
        }
    }

    static void require(const amqp_rpc_reply_t& reply) {
        switch (reply.reply_type) {
            case AMQP_RESPONSE_NORMAL: return;
            case AMQP_RESPONSE_LIBRARY_EXCEPTION: return require(reply.library_error);
            default: throw client_error("the server has refused a method");
        }
    }

    amqp_connection_state_t raw_;
};

// The server finds itself by a name server (epmd), which it would start as a daemon if it found
// none. Both are our children here, and their ports are our own.
class rabbitmq_client final : public client {
public:
    std::string name() const override { return "librabbitmq"; }
    std::string missing() const override {
        return is_program(server) && is_program(name_server)
                   ? ""
                   : "RabbitMQ's server (rabbitmq-server)";
    }
    std::string versions() const override {
        return std::string("librabbitmq ") + ::amqp_version() + " with RabbitMQ " +
               server_version();
    }

    void start() override {
        const std::string folder = folder_.path();
        std::ofstream(folder + "/plugins") << "[].\n";
        std::ofstream(folder + "/rabbitmq.conf")
            << "listeners.tcp.1 = 127.0.0.1:" << port_ << "\ntcp_listen_options.backlog = 4096\n"
            << "handshake_timeout = 60000\ndisk_free_limit.absolute = 1MB\n";
        const std::string name_port = std::to_string(name_port_);
        names_.start({name_server, "-address", "127.0.0.1", "-port", name_port}, folder + "/log",
                     {name_port_});
        server_.start(
            {"/usr/bin/env", "HOME=" + folder, "LANG=C.UTF-8", "ERL_EPMD_ADDRESS=127.0.0.1",
             "ERL_EPMD_PORT=" + name_port, "RABBITMQ_CONF_ENV_FILE=/dev/null",
             "RABBITMQ_CONFIG_FILE=" + folder + "/rabbitmq.conf",
             "RABBITMQ_ENABLED_PLUGINS_FILE=" + folder + "/plugins",
             "RABBITMQ_MNESIA_BASE=" + folder, "RABBITMQ_LOG_BASE=" + folder,
             "RABBITMQ_NODENAME=coir@localhost", "RABBITMQ_DIST_PORT=" + std::to_string(dist_port_),
             "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
             // So that the script becomes Erlang, and does not wait for it.
             "RUNNING_UNDER_SYSTEMD=true", server},
            folder + "/log", {port_});
        await_answer(*this);
    }

    void kill() override {
        server_.kill();
        names_.kill();
    }

    void call(milliseconds delay) override {
        connection c(port_);
        c.await_message(delay);
        c.close();
    }

private:
    const temporary_folder folder_;
    const int port_ = free_port();
    const int name_port_ = free_port();
    const int dist_port_ = free_port();
    server_process names_;
    server_process server_;
};

}  // namespace

void add_rabbitmq(client_list& clients) { clients.push_back(std::make_unique<rabbitmq_client>()); }

}  // namespace coir::test
