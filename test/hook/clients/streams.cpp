// SPDX-License-Identifier: BSL-1.0
// A FILE on a pipe.
#include "base/unique_fd.hpp"
#include "hook/clients/local_calls.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace coir::test {

namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

// A thread that writes a line to each pipe that it is given, when it is due, and closes it.
class late_writer {
public:
    late_writer() = default;
    late_writer(const late_writer&) = delete;
    late_writer& operator=(const late_writer&) = delete;
    ~late_writer() {
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    void write_after(milliseconds delay, detail::unique_fd pipe) {
        {
            const std::lock_guard lock(mutex_);
            due_.emplace(clock::now() + delay, std::move(pipe));
        }
        changed_.notify_one();
    }

    void close_all() {
        const std::lock_guard lock(mutex_);
        due_.clear();
    }

private:
    void run() {
        sigset_t broken_pipe;
        sigemptyset(&broken_pipe);
        sigaddset(&broken_pipe, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        std::unique_lock lock(mutex_);
        while (!over_) {
            if (due_.empty()) {
                changed_.wait(lock);
            } else if (const auto next = due_.begin()->first; next > clock::now()) {
                changed_.wait_until(lock, next);
            } else {
                // It fails where nobody reads any more.
                [[maybe_unused]] const ssize_t written =
                    ::write(due_.begin()->second.get(), "slept\n", 6);
                due_.erase(due_.begin());
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<clock::time_point, detail::unique_fd> due_;
    bool over_ = false;
    std::thread thread_{[this] {
        run();
    }};
};

class pipe_client final : public local_calls {
public:
    std::string name() const override { return "fgets on a pipe's FILE"; }

    // The writer's end can be told, as any server's.
    bool has_server() const override { return true; }
    void start() override { writer_ = std::make_unique<late_writer>(); }
    void kill() override { writer_->close_all(); }

    void call(milliseconds delay) override {
        int ends[2];
        require(::pipe2(ends, O_CLOEXEC) == 0);
        writer_->write_after(delay, detail::unique_fd(ends[1]));
        std::FILE* const stream = ::fdopen(ends[0], "r");
        require(stream != nullptr);
        char line[16] = "";
        errno = EPIPE;  // at the end of the pipe it is left as it is
        const bool read = std::fgets(line, sizeof line, stream) != nullptr;
        const int error = errno;
        std::fclose(stream);
        errno = error;
        require(read);
        if (std::strcmp(line, "slept\n") != 0) {
            throw client_error(std::string("a wrong answer: ") + line);
        }
    }

private:
    std::unique_ptr<late_writer> writer_;
};

}  // namespace

void add_streams(client_list& clients) { clients.push_back(std::make_unique<pipe_client>()); }

}  // namespace coir::test
