// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/server_process.hpp"

#include "hook/clients/client.hpp"

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
#include <fstream>
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

// With its children's children: a server may put a session into a group of its own.
void kill_tree(pid_t process) {
    const std::string number = std::to_string(process);
    std::ifstream children("/proc/" + number + "/task/" + number + "/children");
    for (pid_t child = 0; children >> child;) {
        kill_tree(child);
    }
    ::kill(process, SIGKILL);
}

const passwd* user_to_become(const std::string& user) {
    return ::geteuid() == 0 && !user.empty() ? ::getpwnam(user.c_str()) : nullptr;
}

pid_t launch(const std::vector<std::string>& command, const std::string& log,
             const std::string& user) {
    const passwd* const other = user_to_become(user);
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
    for (const int port : ports) {
        while (!listens(port)) {
            const bool ended = ::waitpid(child_, nullptr, WNOHANG) == child_;
            if (ended || std::chrono::steady_clock::now() > limit) {
                child_ = ended ? -1 : child_;
                std::system(("tail -20 " + log + " >&2").c_str());
                throw std::runtime_error(command.front() + " does not listen");
            }
            std::this_thread::sleep_for(milliseconds(20));
        }
    }
}

void server_process::kill() {
    if (child_ > 0) {
        kill_tree(child_);
        ::kill(-child_, SIGKILL);  // whoever was started meanwhile
        while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
        }
        child_ = -1;
    }
}

int free_port() {
    const detail::unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::system_error(errno, std::generic_category(), "a free port");
    }
    return ntohs(address.sin_port);
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
