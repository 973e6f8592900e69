// SPDX-License-Identifier: BSL-1.0
// serve(): clients come, hang up, and lose patience, and so does the server; what was asked on a
// connection that nobody has broken is answered, once and in order.
#include "stress/tables.hpp"
#include "stress/watchdog.hpp"

#include <coir/coir.hpp>

#include <sys/socket.h>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace coir::stress {

namespace {

using namespace std::chrono_literals;
using connection = io::buffered_stream<net::tcp_socket>;

// A request is a line with a number, and its answer that number and as many letters as it says.
constexpr int most_letters = 3000;
std::string answer_to(int number) {
    return std::to_string(number) + ' ' +
           std::string(static_cast<std::size_t>(number % most_letters), 'x') + '\n';
}

// The server, on two carriers in the background. It is up when the object is there.
class server {
public:
    server(bool on_every_carrier, verdict& told) : everywhere_(on_every_carrier), verdict_(told) {
        thread_ = std::thread([this] { run_it(); });
        where_ = listens_.get_future().get();
    }
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server() { stop(); }

    const net::endpoint& where() const noexcept { return where_; }

    // Returns when all connections have ended.
    void stop() {
        if (thread_.joinable()) {
            stop_.set();
            thread_.join();
        }
    }

    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> ended{0};
    std::atomic<std::uint64_t> heard{0};
    std::atomic<std::uint64_t> answered{0};
    std::atomic<std::uint64_t> hung_up{0};  // before the client did

private:
    // What has failed fails the test; who waits for the address is told.
    void run_it() noexcept {
        watched_run watched(everywhere_ ? "a server on every carrier" : "a server on one carrier");
        run_options options;
        options.threads = 2;
        try {
            coir::run(options, [&] {
                watched.here();
                serve_until_stopped();
            });
        } catch (const std::exception&) {
            verdict_.require(false, "serve() has thrown");
            try {
                listens_.set_exception(std::current_exception());
            } catch (const std::future_error&) {  // it listened already
            }
        }
    }

    void serve_until_stopped() {
        net::listen_options shared;
        shared.reuse_port = everywhere_;
        net::tcp_listener listener({net::ip_address::loopback(), 0}, shared);
        listens_.set_value(listener.local_endpoint());
        fiber stopper(fiber_options("stopper").on(fiber_options::this_carrier), [&] {
            stop_.wait();
            listener.close();
        });
        net::serve_options options;
        options.on_every_carrier = everywhere_;
        net::serve(
            listener, [this](net::tcp_socket s) { handle(std::move(s)); }, options);
    }

    // Leaves with an error as with an end: both are what clients do to servers.
    void handle(net::tcp_socket socket) {
        chance random(accepted++);
        struct count_end {
            std::atomic<std::uint64_t>& ended;
            ~count_end() { ++ended; }
        } const guard{ended};
        connection client(std::move(socket));
        const auto patience = random.one_in(8) ? random.soon(300) : std::chrono::microseconds(2s);
        hung_up += try_for(patience, [&] { converse(random, client); }) ? 0 : 1;
    }

    void converse(chance& random, connection& client) {
        std::error_code ec;
        for (;;) {
            const std::string line = client.read_line(ec);
            if (ec || line.empty() || line.back() != '\n') {
                return;
            }
            ++heard;
            if (random.one_in(200)) {
                ++hung_up;
                return;
            }
            client.write(answer_to(std::stoi(line)), ec);
            if (random.pick(2) == 0) {
                this_fiber::yield();
            }
            client.drain(ec);
            if (ec) {
                return;
            }
            ++answered;
        }
    }

    const bool everywhere_;
    verdict& verdict_;
    std::promise<net::endpoint> listens_;
    net::endpoint where_;
    event stop_;
    std::thread thread_;
};

template <bool OnEveryCarrier>
class serve_test : public test {
public:
    bool attempt(participant& self) override {
        ++called_;  // one that is cancelled may have connected
        connection to(net::tcp_socket::connect(server_.where()));
        const bool well = converse(self, to);
        if (self.one_in(8)) {
            reset(to.stream());
        }
        return well;
    }

    int pace() const override { return 50; }

    std::string check(const totals&) override {
        server_.stop();
        require(server_.accepted == server_.ended, "a connection has not ended");
        require(server_.accepted <= called_, "more was accepted than connected");
        require(server_.heard <= sent_ && server_.answered <= server_.heard,
                "more was heard than sent, or answered than heard");
        require(got_ <= server_.heard, "more was got than answered");
        require(cut_ <= server_.hung_up, "a request was not answered, and the server not gone");
        return got_ == 0 ? "nothing was ever answered" : broken();
    }

    std::string counts() const override {
        return std::to_string(server_.accepted) + " connections, " + std::to_string(sent_) +
               " requests, " + std::to_string(server_.heard) + " heard, " +
               std::to_string(server_.answered) + " answered, " + std::to_string(got_) + " got, " +
               std::to_string(complete_) + " conversations to the end, " + std::to_string(cut_) +
               " cut short";
    }

private:
    // Some requests at once, then their answers, some times over. True if that was all answered;
    // false if somebody has hung up, the client itself or, which counts, the server.
    bool converse(participant& self, connection& to) {
        std::error_code ec;
        for (int turns = 1 + self.pick(8); turns > 0; --turns) {
            const int first = self.pick(1000000);
            const int count = 1 + self.pick(5);
            for (int i = 0; i < count; ++i) {
                to.write(std::to_string(first + i) + '\n', ec);
            }
            sent_ += static_cast<std::uint64_t>(count);
            to.drain(ec);
            const bool leaves = self.one_in(32);
            if (ec || !read_answers(to, first, leaves ? self.pick(count) : count)) {
                ++cut_;
                return false;
            }
            if (leaves) {
                return false;
            }
        }
        ++complete_;
        return true;
    }

    bool read_answers(connection& to, int first, int count) {
        std::error_code ec;
        for (int i = 0; i < count; ++i) {
            const std::string line = to.read_line(ec);
            const std::string expected = answer_to(first + i);
            if (line != expected) {  // cut short, if anything
                require(expected.compare(0, line.size(), line) == 0, "another answer");
                return false;
            }
            ++got_;
        }
        return true;
    }

    // Closing then sends no end but a reset.
    static void reset(const net::tcp_socket& socket) {
        const linger at_once{1, 0};
        ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }

    std::atomic<std::uint64_t> called_{0};
    std::atomic<std::uint64_t> sent_{0};
    std::atomic<std::uint64_t> got_{0};
    std::atomic<std::uint64_t> complete_{0};
    std::atomic<std::uint64_t> cut_{0};
    server server_{OnEveryCarrier, shared_verdict()};
};

}  // namespace

const std::vector<entry> serve_tests = {
    {"serve", make<serve_test<false>>},
    {"serve_on_every_carrier", make<serve_test<true>>},
};

}  // namespace coir::stress
