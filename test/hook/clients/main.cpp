// SPDX-License-Identifier: BSL-1.0
// The client matrix: blocking clients, unmodified, many at once on one thread, against real servers
// on loopback. scripts/client-matrix runs it whole and keeps its table; CTest runs the short form.
#include "hook/clients/machine.hpp"
#include "hook/clients/measure.hpp"
#include "hook/clients/server_process.hpp"

#include <coir/hook/hook.hpp>

#include <sys/resource.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

using namespace coir::test;

namespace {

constexpr int exit_skipped = 77;

struct options {
    bool brief = false;
    std::string only;  // clients whose name contains it
};

constexpr const char* usage =
    "usage: client_matrix [--short] [--client PART_OF_NAME]\n"
    "\n"
    "Runs each client library that was found when this was built against its server, as a child "
    "of\n"
    "this process, and writes a table in Markdown. --short: fewer calls, and not 2,000 at once.\n"
    "Exit status: 0 all is well, 1 a client has failed, 77 there was none that could run.\n";

client_list all_clients() {
    client_list clients;
    // A fork copies the tables of all memory; these go first, while there is little.
    add_name_service(clients);
    add_commands(clients);
    add_streams(clients);
#ifdef COIR_HAVE_LIBPQ
    add_libpq(clients);
#endif
#ifdef COIR_HAVE_MARIADB
    add_mariadb(clients);
#endif
#ifdef COIR_HAVE_HIREDIS
    add_hiredis(clients);
#endif
#ifdef COIR_HAVE_CURL
    add_curl(clients);
#endif
#ifdef COIR_HAVE_OPENSSL
    add_openssl(clients);
#endif
#ifdef COIR_HAVE_MEMCACHED
    add_memcached(clients);
#endif
    add_beast(clients);
#ifdef COIR_HAVE_LIBSSH2
    add_libssh2(clients);
#endif
#ifdef COIR_HAVE_RABBITMQ
    add_rabbitmq(clients);
#endif
    return clients;
}

std::string in_seconds(seconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f s", time.count());
    return text;
}

std::string in_milliseconds(seconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f ms", time.count() * 1000);
    return text;
}

// What a measurement throws stands in its cell, and counts. After a failure the row has dashes: a
// client that hangs once would do so in each cell.
class row {
public:
    explicit row(const std::string& name) { std::printf("| %s", name.c_str()); }
    row(const row&) = delete;
    row& operator=(const row&) = delete;
    ~row() {
        std::printf(" |\n");
        std::fflush(stdout);
    }

    // As many as `columns`, with " | " between them.
    void cells(int columns, const std::function<std::string()>& measure) {
        std::string text = "-";
        if (!failed_) {
            try {
                std::printf(" | %s", measure().c_str());
                std::fflush(stdout);
                return;
            } catch (const std::exception& error) {
                text = std::string("FAILED: ") + error.what();
                failed_ = true;
            }
        }
        for (int i = 0; i < columns; ++i) {
            std::printf(" | %s", i == 0 ? text.c_str() : "-");
        }
    }
    void cell(const std::function<std::string()>& measure) { cells(1, measure); }

    bool failed() const { return failed_; }

private:
    bool failed_ = false;
};

// Computing takes as long in fibers as in turn, and some clients compute more than they wait; so it
// is the waiting that must have gone, the better part of it. Where a call computes longer than it
// waits, the difference of two such times tells nothing.
void require_overlap(const overlap& all) {
    if (all.in_turn > 2 * all.delay * double(all.calls)) {
        return;
    }
    const seconds waited_in_turn = all.delay * double(all.calls - 1);
    if (all.in_turn - all.in_fibers < waited_in_turn / 2) {
        throw std::runtime_error(std::to_string(all.calls) +
                                 " calls did not overlap: " + in_seconds(all.in_turn) +
                                 " in turn, " + in_seconds(all.in_fibers) + " in fibers");
    }
}

// Many at once, above the number of descriptors that select(2) knows.
std::string two_thousand(client& c) {
    constexpr std::size_t many = 2000;
    constexpr rlim_t descriptors_each = 2;
    const capacity most = c.most_at_once();
    if (most.calls < many) {
        return std::string("left out: ") + most.because;
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < (many + 50) * descriptors_each) {
        return "left out: at most " + std::to_string(limit.rlim_cur) + " descriptors (ulimit -n)";
    }
    const overlap all = measure_overlap(c, many, 1);
    return in_seconds(all.in_fibers);
}

bool measure(client& c, const options& chosen) {
    const std::size_t calls =
        std::min<std::size_t>(chosen.brief ? 20 : 100, c.most_at_once().calls);
    row r(c.name());
    r.cell([&] {
        c.start();
        return std::to_string(measure_stack(c)) + " B";
    });
    r.cells(5, [&] {
        const overlap all = measure_overlap(c, calls, chosen.brief ? 1 : 5);
        require_overlap(all);
        char text[160];
        std::snprintf(text, sizeof text, "%zu | %s | %s | %.0f | %s", calls,
                      in_seconds(all.in_turn).c_str(), in_seconds(all.in_fibers).c_str(),
                      all.in_turn / all.in_fibers, in_milliseconds(all.longest_stall).c_str());
        return std::string(text);
    });
    r.cell([&] { return in_milliseconds(measure_deadline(c)); });
    r.cell([&] { return in_milliseconds(measure_cancel(c)); });
    r.cell([&] { return chosen.brief ? "-" : two_thousand(c); });
    r.cell([&]() -> std::string {
        if (!c.has_server()) {
            return "-";
        }
        const seconds taken = measure_death_of_server(c);
        c.start();
        c.call(std::chrono::milliseconds(0));  // and all is well again
        return in_milliseconds(taken);
    });
    c.kill();
    end_children();
    return !r.failed();
}

// What the figures were measured with.
void describe(const client_list& clients) {
    std::printf("%s.\n", machine().c_str());
    std::string said;
    for (const auto& c : clients) {
        const std::string versions = c->missing().empty() ? c->versions() : "";
        if (!versions.empty() && said.find(versions) == std::string::npos) {
            said += (said.empty() ? "" : "; ") + versions;
        }
    }
    std::printf("%s%s\n", said.c_str(), said.empty() ? "" : ".\n");
#ifdef COIR_CLIENTS_LEFT_OUT
    std::printf("Skipped, since they were not installed when this was built: %s.\n\n",
                COIR_CLIENTS_LEFT_OUT);
#endif
    std::fflush(stdout);
}

options parse(int argc, char** argv) {
    options chosen;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--short") {
            chosen.brief = true;
        } else if (word == "--client" && i + 1 < argc) {
            chosen.only = argv[++i];
        } else {
            std::fputs(usage, word == "--help" ? stdout : stderr);
            std::exit(word == "--help" ? 0 : 2);
        }
    }
    return chosen;
}

// A descriptor for each connection, and for what else there is.
void allow_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 16'384));
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
    const options chosen = parse(argc, argv);
    allow_descriptors();
    client_list clients = all_clients();
    clients.erase(std::remove_if(clients.begin(), clients.end(),
                                 [&](const auto& c) {
                                     return c->name().find(chosen.only) == std::string::npos;
                                 }),
                  clients.end());
    describe(clients);
    std::puts(
        "| client | stack of a call | calls | in turn | in fibers | times as fast | longest stall |"
        " after the deadline | after a cancel | 2,000 at once | after the server's end |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|");
    bool all_well = true;
    std::size_t measured = 0;
    for (const auto& c : clients) {
        if (const std::string missing = c->missing(); !missing.empty()) {
            std::printf(
                "| %s | skipped: %s is not installed | - | - | - | - | - | - | - | - | - |\n",
                c->name().c_str(), missing.c_str());
            continue;
        }
        all_well = measure(*c, chosen) && all_well;
        ++measured;
    }
    if (!all_well) {
        return 1;
    }
    return measured > 0 ? 0 : exit_skipped;
}
