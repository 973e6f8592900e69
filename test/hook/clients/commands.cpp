// SPDX-License-Identifier: BSL-1.0
// Commands as children: by popen(3) and fgets(3), by system(3), by fork, exec and waitpid.
#include "hook/clients/local_calls.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

constexpr const char* sleep_program = "/bin/sleep";

class command_client : public local_calls {
public:
    std::string missing() const override {
        return is_program(sleep_program) ? "" : "sleep (coreutils)";
    }
    capacity most_at_once() const override { return hundreds("two processes for each"); }
};

class popen_client final : public command_client {
public:
    std::string name() const override { return "popen and fgets"; }

    void call(milliseconds delay) override {
        const std::string command = "sleep " + in_seconds(delay) + "; echo slept";
        std::FILE* const output = ::popen(command.c_str(), "re");
        require(output != nullptr);
        char line[16] = "";
        const bool read = std::fgets(line, sizeof line, output) != nullptr;
        const int error = errno;
        const int status = ::pclose(output);
        errno = error;
        require(read);
        if (std::strcmp(line, "slept\n") != 0 || status != 0) {
            throw client_error(std::string("a wrong answer: ") + line);
        }
    }
};

class system_client final : public command_client {
public:
    std::string name() const override { return "system"; }

    void call(milliseconds delay) override {
        const int status = std::system(("sleep " + in_seconds(delay)).c_str());
        require(status != -1);
        if (status != 0) {
            throw client_error("the command has failed");
        }
    }
};

class fork_client final : public command_client {
public:
    std::string name() const override { return "fork, exec and waitpid"; }
    capacity most_at_once() const override { return thousands(); }

    void call(milliseconds delay) override {
        const std::string seconds = in_seconds(delay);
        const pid_t child = ::fork();
        require(child >= 0);
        if (child == 0) {
            ::execl(sleep_program, "sleep", seconds.c_str(), nullptr);
            ::_exit(127);
        }
        int status = -1;
        if (::waitpid(child, &status, 0) != child) {
            const client_error failed(std::strerror(errno));
            end(child);
            throw failed;
        }
        if (status != 0) {
            throw client_error("the command has failed");
        }
    }

private:
    static void end(pid_t child) {
        ::kill(child, SIGKILL);
        while (::waitpid(child, nullptr, WNOHANG) == 0) {
            ::sched_yield();
        }
    }
};

}  // namespace

void add_commands(client_list& clients) {
    clients.push_back(std::make_unique<popen_client>());
    clients.push_back(std::make_unique<system_client>());
    clients.push_back(std::make_unique<fork_client>());
}

}  // namespace coir::test
