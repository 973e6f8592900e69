// SPDX-License-Identifier: BSL-1.0
#include "child.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace coir::run_tool {

namespace {

constexpr int passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

// Written while these are blocked.
volatile pid_t child = 0;

void pass_on(int number, siginfo_t* info, void*) {
    const int error = errno;
    if (info->si_code <= 0) {  // sent by a process, and not by the terminal
        ::kill(child, number);
    }
    errno = error;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (const std::string& text : texts) {
        result.push_back(const_cast<char*>(text.c_str()));
    }
    result.push_back(nullptr);
    return result;
}

// What was ignored stays so: that is how nohup(1) and shells in the background ask for it.
void pass_signals_on() {
    for (const int number : passed_on) {
        struct sigaction before {};
        ::sigaction(number, nullptr, &before);
        if (before.sa_handler != SIG_IGN) {
            struct sigaction action {};
            action.sa_sigaction = pass_on;
            action.sa_flags = SA_SIGINFO | SA_RESTART;
            ::sigaction(number, &action, nullptr);
        }
    }
}

}  // namespace

int run_child(const std::string& path, const std::vector<std::string>& arguments,
              const std::vector<std::string>& environment) {
    sigset_t signals;
    sigset_t before;
    ::sigemptyset(&signals);
    for (const int number : passed_on) {
        ::sigaddset(&signals, number);
    }
    ::sigprocmask(SIG_BLOCK, &signals, &before);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setsigmask(&attributes, &before);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t started = 0;
    const int error = ::posix_spawn(&started, path.c_str(), nullptr, &attributes,
                                    pointers(arguments).data(), pointers(environment).data());
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), path);
    }
    child = started;
    pass_signals_on();
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    int status = 0;
    while (::waitpid(started, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

void end_as(int wait_status) {
    if (WIFSIGNALED(wait_status)) {
        const int number = WTERMSIG(wait_status);
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);  // there is the program's
        ::signal(number, SIG_DFL);
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
        ::kill(::getpid(), number);
    }
    std::exit(WEXITSTATUS(wait_status));
}

}  // namespace coir::run_tool
