// SPDX-License-Identifier: BSL-1.0
// Load for the echo servers: a closed loop over TCP on loopback, in a process of its own. It checks
// every byte of every answer, and prints a JSON object a window: the server's CPU time a request,
// its rate, and the latencies.
#include "connections.hpp"
#include "latencies.hpp"
#include "options.hpp"
#include "process_clock.hpp"

#include <sys/resource.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

namespace {

constexpr const char* usage =
    "usage: coir_load --port PORT [--pid SERVER] [--connections N] [--idle M] [--size BYTES]\n"
    "                 [--seconds S] [--on-request]\n"
    "--on-request: a window of S seconds for each line of the input, instead of one at once\n";

constexpr double percents[] = {1,  5,  10, 20, 30,   40,   50,    60,    70, 80,
                               90, 95, 98, 99, 99.5, 99.9, 99.95, 99.99, 100};

struct cost {
    std::chrono::nanoseconds wall;
    std::chrono::nanoseconds own_cpu;
    std::optional<std::chrono::nanoseconds> server_cpu;
};

double us(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::micro>(time).count();
}

void print(const load::options& what, const load::latencies& window, const cost& spent) {
    const auto requests = static_cast<double>(window.count());
    std::printf("{\"value\": %.4f, \"unit\": \"us\"",
                spent.server_cpu ? us(*spent.server_cpu) / requests : 0.0);
    std::printf(", \"checked\": \"%zu answers of %zu bytes, every byte\", \"errors\": 0",
                window.count(), what.bytes);
    std::printf(", \"requests\": %zu, \"requests_per_second\": %.0f", window.count(),
                requests * 1e6 / us(spent.wall));
    if (spent.server_cpu) {
        std::printf(", \"server_cpu_us\": %.4f, \"server_busy\": %.3f",
                    us(*spent.server_cpu) / requests, us(*spent.server_cpu) / us(spent.wall));
    }
    std::printf(", \"generator_cpu_us\": %.4f", us(spent.own_cpu) / requests);
    std::printf(", \"p50_us\": %.2f, \"p90_us\": %.2f, \"p99_us\": %.2f, \"p99_9_us\": %.2f",
                window.at_us(50), window.at_us(90), window.at_us(99), window.at_us(99.9));
    std::printf(", \"max_us\": %.2f, \"latency_us\": [", window.at_us(100));
    const char* separator = "";
    for (const double percent : percents) {
        std::printf("%s[%g, %.2f]", separator, percent, window.at_us(percent));
        separator = ", ";
    }
    std::printf("]}\n");
    std::fflush(stdout);
}

void measure(const load::options& what, load::connections& connections) {
    std::optional<load::process_clock> server;
    if (what.server != 0) {
        server.emplace(what.server);
    }
    const load::process_clock own(::getpid());
    load::latencies window;
    const auto length = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(what.seconds));

    const auto server_before = server ? server->now() : std::chrono::nanoseconds(0);
    const auto own_before = own.now();
    const auto before = std::chrono::steady_clock::now();
    connections.run(length, window);
    cost spent{std::chrono::steady_clock::now() - before, own.now() - own_before, std::nullopt};
    if (server) {
        spent.server_cpu = server->now() - server_before;
    }
    window.sort();
    print(what, window, spent);
}

// As many descriptors as the system lets it have.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

}  // namespace

int main(int argc, char** argv) {
    load::options what;
    try {
        what = load::options_from(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "coir_load: " << error.what() << '\n' << usage;
        return 2;
    }
    try {
        raise_descriptor_limit();
        load::connections connections(what);
        if (!what.on_request) {
            measure(what, connections);
            return 0;
        }
        std::cout << "ready" << std::endl;
        for (std::string line; std::getline(std::cin, line);) {
            measure(what, connections);
        }
    } catch (const std::exception& error) {
        std::cerr << "coir_load: " << error.what() << '\n';
        return 1;
    }
}
