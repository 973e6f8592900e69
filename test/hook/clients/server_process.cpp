// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/server_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

constexpr auto start_limit = std::chrono::seconds(60);

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool listens(int port) {
    const detail::unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// In the child, between fork and exec.
[[noreturn]] void become(const std::vector<std::string>& command, const std::string& log,
                         const passwd* user) {
    ::setpgid(0, 0);                     // so that its children can be ended with it
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // not even a crash of the test leaves it behind
    if (const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666); out >= 0) {
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
    }
    if (user != nullptr) {
        if (::setgid(user->pw_gid) != 0 || ::initgroups(user->pw_name, user->pw_gid) != 0 ||
            ::setuid(user->pw_uid) != 0) {
            ::_exit(126);
        }
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of the user clears it
    }
    std::vector<char*> arguments;
    for (const std::string& one : command) {
        arguments.push_back(const_cast<char*>(one.c_str()));
    }
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    ::_exit(127);
}

// By the threads that have started them.
std::vector<pid_t> children_of(pid_t process) {
    std::vector<pid_t> children;
    std::error_code gone;
    const std::string threads = "/proc/" + std::to_string(process) + "/task";
    for (const auto& thread : std::filesystem::directory_iterator(threads, gone)) {
        std::ifstream numbers(thread.path() / "children");
        for (pid_t child = 0; numbers >> child;) {
            children.push_back(child);
        }
    }
    return children;
}

// Ends it and its children's children, of whatever group: a server may put a session into one of
// its own. What is stopped first starts nothing more. They are awaited, too: those whose parent has
// ended are ours.
void end_tree(pid_t process) {
    ::kill(process, SIGSTOP);
    const std::vector<pid_t> children = children_of(process);
    ::kill(process, SIGKILL);
    while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
    }
    for (const pid_t child : children) {
        end_tree(child);
    }
}

const passwd* user_to_become(const std::string& user) {
    return ::geteuid() == 0 && !user.empty() ? ::getpwnam(user.c_str()) : nullptr;
}

pid_t launch(const std::vector<std::string>& command, const std::string& log,
             const std::string& user) {
    const passwd* const other = user_to_become(user);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // its children are ours when it ends
    const pid_t child = ::fork();
    if (child < 0) {
        throw std::system_error(errno, std::generic_category(), "fork");
    }
    if (child == 0) {
        become(command, log, other);
    }
    return child;
}

}  // namespace

void server_process::run(const std::vector<std::string>& command, const std::string& user) {
    const temporary_folder folder;
    give_to(folder.path(), user);
    const std::string log = folder.path() + "/log";
    const pid_t child = launch(command, log, user);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        std::system(("cat " + log + " >&2").c_str());
        throw std::runtime_error(command.front() + " has failed, with status " +
                                 std::to_string(status));
    }
}

void server_process::start(const std::vector<std::string>& command, const std::string& log,
                           const std::vector<int>& ports, const std::string& user) {
    child_ = launch(command, log, user);
    const auto limit = std::chrono::steady_clock::now() + start_limit;
    const auto check = [&](bool in_time) {
        const bool ended = ::waitpid(child_, nullptr, WNOHANG) == child_;
        if (ended || !in_time) {
            child_ = ended ? -1 : child_;
            std::system(("tail -20 " + log + " >&2").c_str());
            throw std::runtime_error(command.front() +
                                     (ended ? " has ended at its start" : " does not listen"));
        }
    };
    for (const int port : ports) {
        while (!listens(port)) {
            check(std::chrono::steady_clock::now() < limit);
            std::this_thread::sleep_for(milliseconds(20));
        }
    }
    check(true);  // or somebody else listens there
}

void server_process::kill() {
    if (child_ > 0) {
        end_tree(child_);
        child_ = -1;
    }
}

void await_answer(client& c) {
    for (int i = 0;; ++i) {
        try {
            return c.call(milliseconds(0));
        } catch (const client_error&) {
            if (i == 200) {
                throw;
            }
            std::this_thread::sleep_for(milliseconds(50));
        }
    }
}

void end_children() {
    for (const pid_t child : children_of(::getpid())) {
        end_tree(child);
    }
}

int free_port() {
    static std::minstd_rand random{std::random_device{}()};
    // Those above are dealt out by the kernel, to any process at any moment (ip_local_port_range).
    std::uniform_int_distribution<int> below(10'000, 32'000);
    for (int tries = 0; tries < 1000; ++tries) {
        const int port = below(random);
        const detail::unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in address = loopback(port);
        if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
            return port;
        }
    }
    throw std::runtime_error("no port is free");
}

void give_to(const std::string& path, const std::string& user) {
    if (const passwd* const other = user_to_become(user); other != nullptr) {
        if (::chown(path.c_str(), other->pw_uid, other->pw_gid) != 0) {
            throw std::system_error(errno, std::generic_category(), "chown " + path);
        }
    }
}

void make_certificate(const std::string& folder, const std::string& user) {
    server_process::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                         folder + "/key.pem", "-out", folder + "/cert.pem"});
    ::chmod((folder + "/key.pem").c_str(), 0600);
    give_to(folder + "/key.pem", user);
    give_to(folder + "/cert.pem", user);
}

bool is_program(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace coir::test
