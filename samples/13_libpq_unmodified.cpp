// SPDX-License-Identifier: BSL-1.0
// A hundred queries at once on one thread, with PostgreSQL's client library as it is. libpq knows
// nothing of fibers, and neither does ask(), which calls it as any program would. That a fiber
// parks where libpq waits comes of linking coir::hook, and of nothing in this file.
//
//     13_libpq_unmodified [CONNECTION_STRING]
//
// The string is libpq's: "host=db.example.org user=me dbname=test". What it does not say is taken
// from the environment (PGHOST and the like). Each query has a connection of its own, so the server
// must allow a hundred: max_connections is 100 by default, of which 3 are kept for superusers.
#include <libpq-fe.h>

#include <chrono>
#include <coir/coir.hpp>
#include <cstddef>
#include <exception>
#include <iomanip>
#include <iostream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr int query_count = 100;

// Connects, asks, and returns the first value of the answer.
std::string ask(const std::string& server, const std::string& query) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(server.c_str()),
                                                                  PQfinish);
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer(
        PQexec(connection.get(), query.c_str()), PQclear);
    if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    return PQgetvalue(answer.get(), 0, 0);
}

double seconds_since(clock_type::time_point begun) {
    return std::chrono::duration<double>(clock_type::now() - begun).count();
}

void ask_a_hundred_times(const std::string& server) {
    const auto begun = clock_type::now();
    int right = 0;
    std::set<std::thread::id> threads;
    coir::task_group group;
    for (int i = 0; i < query_count; ++i) {
        group.spawn([&, i] {
            const std::string number = std::to_string(i);
            right += ask(server, "select " + number + " from pg_sleep(0.2)") == number ? 1 : 0;
            threads.insert(std::this_thread::get_id());
        });
    }
    group.join();
    std::cout << query_count << " queries that take 0.2 s each: " << right << " right answers on "
              << threads.size() << " thread in " << seconds_since(begun)
              << " s, connecting included" << std::endl;
}

// libpq has no timeout for a query. A deadline makes the call fail that libpq waits in, and libpq
// says so in its own words.
void end_a_query_that_hangs(const std::string& server) {
    const auto begun = clock_type::now();
    try {
        coir::with_timeout(500ms, [&] {
            // The first half has the server look whether its client is still there.
            ask(server, "set client_connection_check_interval = 1000; select pg_sleep(60)");
        });
        std::cout << "a query that hangs has come to its end" << std::endl;
    } catch (const std::runtime_error& error) {
        std::cout << "a query that hangs, given 0.5 s: ended after " << seconds_since(begun)
                  << " s, and libpq says: " << error.what() << std::flush;
    }
}

int main(int argc, char* argv[]) {
    const std::string server = argc > 1 ? argv[1] : "";
    std::cout << std::fixed << std::setprecision(1);
    try {
        coir::run([&] {
            // A server that cannot be reached is told of once, and not a hundred times.
            const std::string version = ask(server, "show server_version");
            std::cout << "PostgreSQL " << version << std::endl;
            ask_a_hundred_times(server);
            end_a_query_that_hangs(server);
        });
    } catch (const std::exception& error) {
        std::cerr << "13_libpq_unmodified: " << error.what() << std::endl;
        return 1;
    }
}
