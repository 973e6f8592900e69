// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "integration/posix/law.hpp"

#include <stdio.h>
#include <sys/ioctl.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Streams of stdio on pipes and sockets, and who is at their other ends.
namespace coir::test {

struct closer {
    void operator()(FILE* stream) const { ::fclose(stream); }
};
using stream_ptr = std::unique_ptr<FILE, closer>;

enum class channel { pipe, socket };
inline std::ostream& operator<<(std::ostream& out, channel kind) {
    return out << (kind == channel::pipe ? "a pipe" : "a socket");
}

enum class buffering { full, small, by_line, none };
inline std::ostream& operator<<(std::ostream& out, buffering mode) {
    constexpr const char* names[] = {"full", "small", "by line", "none"};
    return out << names[static_cast<std::size_t>(mode)];
}

inline constexpr channel channels[] = {channel::pipe, channel::socket};
inline constexpr buffering bufferings[] = {buffering::full, buffering::small, buffering::by_line,
                                           buffering::none};

inline descriptor_pair ends(channel kind) {
    return kind == channel::pipe ? pipe_ends() : connected_sockets(socket_kind::unix_stream);
}

inline stream_ptr opened(unique_fd fd, const char* mode, buffering how = buffering::full) {
    FILE* const stream = ::fdopen(fd.release(), mode);
    must(stream != nullptr);
    // To a buffer of less than 128 bytes libc writes printf's text in pieces.
    const std::size_t small_size = *mode == 'w' ? 150 : 16;
    static std::array<char, 150> small_buffers[4];  // more than there are streams at once
    static std::size_t next = 0;
    char* const small = small_buffers[next++ % 4].data();
    must(how == buffering::full ||
         (how == buffering::small && ::setvbuf(stream, small, _IOFBF, small_size) == 0) ||
         (how == buffering::by_line && ::setvbuf(stream, nullptr, _IOLBF, 0) == 0) ||
         (how == buffering::none && ::setvbuf(stream, nullptr, _IONBF, 0) == 0));
    return stream_ptr(stream);
}

// Writes to a descriptor, bit by bit and with pauses, and lets go of it.
class slow_writer {
public:
    slow_writer(unique_fd to, std::vector<std::string> bits)
        : thread_([to = std::move(to), bits = std::move(bits)] {
              for (const std::string& bit : bits) {
                  std::this_thread::sleep_for(milliseconds(5));
                  must(::write(to.get(), bit.data(), bit.size()) == ssize_t(bit.size()));
              }
              std::this_thread::sleep_for(milliseconds(5));
          }) {}
    slow_writer(const slow_writer&) = delete;
    slow_writer& operator=(const slow_writer&) = delete;
    ~slow_writer() { thread_.join(); }

private:
    std::thread thread_;
};

// Reads all that comes, slowly, and then is asked for it.
class slow_reader {
public:
    explicit slow_reader(unique_fd from)
        : thread_([this, from = std::move(from)] {
              std::array<char, 20'000> buffer;
              for (ssize_t got = 1; got > 0;) {
                  std::this_thread::sleep_for(milliseconds(2));
                  got = ::read(from.get(), buffer.data(), buffer.size());
                  text_.append(buffer.data(), std::size_t(std::max<ssize_t>(got, 0)));
              }
          }) {}
    slow_reader(const slow_reader&) = delete;
    slow_reader& operator=(const slow_reader&) = delete;
    ~slow_reader() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    std::string all() {
        thread_.join();
        return text_;
    }

private:
    std::string text_;
    std::thread thread_;
};

inline std::string printable(const std::string& text) {
    std::string result;
    for (const char c : text) {
        result += c == '\0' ? std::string("\\0") : c == '\n' ? "\\n" : std::string(1, c);
    }
    return result;
}

inline int unread(int fd) {
    int size = -1;
    must(::ioctl(fd, FIONREAD, &size) == 0);
    return size;
}

inline void fill(int fd) {
    set_nonblocking(fd);
    const std::string block(4096, 'x');
    while (::write(fd, block.data(), block.size()) > 0) {
    }
    while (::write(fd, "x", 1) > 0) {
    }
    set_nonblocking(fd, false);
}

// A format that is not one of the standard's, for a string.
inline const char* asking_for_errno() { return "%s: %m\n"; }

// The standard error of the program, where perror() and a syslog() with LOG_PERROR write.
class standard_error_in {
public:
    explicit standard_error_in(int fd) : before_(::dup(STDERR_FILENO)) {
        must(::dup2(fd, STDERR_FILENO) == STDERR_FILENO);
    }
    standard_error_in(const standard_error_in&) = delete;
    standard_error_in& operator=(const standard_error_in&) = delete;
    ~standard_error_in() { ::dup2(before_.get(), STDERR_FILENO); }

private:
    const unique_fd before_;
};

}  // namespace coir::test
