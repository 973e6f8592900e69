// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

struct child_result {
    int status = 0;        // as by waitpid
    std::string messages;  // what it wrote to stderr

    bool died_by(int signal_number) const {
        return WIFSIGNALED(status) && WTERMSIG(status) == signal_number;
    }
    // By itself, not by a signal. With which code is not asked, as Valgrind puts in its own after a
    // fault.
    bool exited() const { return WIFEXITED(status); }
};

// Runs body() in a forked child, which exits with 0 if body returns. For what ends the process.
template <typename Body>
child_result run_in_child(Body body) {
    std::fflush(nullptr);  // or what is buffered would be written twice
    int ends[2];
    if (::pipe(ends) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    const pid_t child = ::fork();
    if (child < 0)
        throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        body();
        ::_exit(0);
    }
    ::close(ends[1]);
    child_result result;
    char text[4096];
    for (ssize_t size; (size = ::read(ends[0], text, sizeof text)) > 0;)
        result.messages.append(text, static_cast<std::size_t>(size));
    ::close(ends[0]);
    ::waitpid(child, &result.status, 0);
    return result;
}

// What a fault does when nobody handles it. (Sanitizers install handlers of their own at the start
// of the program.)
inline void use_default_fault_handlers() {
    std::signal(SIGSEGV, SIG_DFL);
    std::signal(SIGBUS, SIG_DFL);
}
