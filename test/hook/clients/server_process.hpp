// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/clients/client.hpp"
#include "support/temporary.hpp"

#include <sys/types.h>
#include <string>
#include <vector>

namespace coir::test {

// Somebody else's server as a child of this process. It does not outlive it.
class server_process {
public:
    // Runs `command` to its end, as `user` where that is not empty and we are root. Throws if it
    // fails.
    static void run(const std::vector<std::string>& command, const std::string& user = {});

    server_process() = default;
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;
    ~server_process() { kill(); }

    // Starts `command`, whose output goes to `log`, and waits until something listens on each port.
    void start(const std::vector<std::string>& command, const std::string& log,
               const std::vector<int>& ports, const std::string& user = {});

    // Ends it at once, and what it has started with it. None is left, not even as a zombie.
    void kill();

private:
    pid_t child_ = -1;
};

// Calls until it is answered: a server may listen before it lets anybody in.
void await_answer(client& c);

// The same for every child that this process still has.
void end_children();

// A port that nobody had just now, and that nobody gets who does not ask for it.
int free_port();

// Makes a folder belong to `user`, where we are root.
void give_to(const std::string& path, const std::string& user);

// A key and a certificate for 127.0.0.1, signed by itself, as key.pem and cert.pem.
void make_certificate(const std::string& folder, const std::string& user = {});

bool is_program(const std::string& path);

}  // namespace coir::test
