// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <utility>

// To open a FIFO waits for its other end, and only in the kernel: nothing tells when that comes. So
// it is looked for again and again, after 1, 2, 4 .. 16 ms. Who is to read is a reader meanwhile,
// as in the kernel, so that no writer's open waits for us; who is to write is no writer yet.
namespace coir::hook::detail {

// Whether to open that, with these flags, would wait for somebody. Asks the kernel, once, if the
// flags leave that open.
bool is_fifo_to_wait_for(int folder, const char* name, int flags) noexcept;

// As openat() of a FIFO. A cancellation point.
int open_fifo(int folder, const char* name, int flags, mode_t mode) noexcept;

// Owns a descriptor of ours. Keeps errno when it closes it.
class fifo_end {
public:
    explicit fifo_end(int fd) noexcept : fd_(fd) {}
    fifo_end(const fifo_end&) = delete;
    fifo_end& operator=(const fifo_end&) = delete;
    ~fifo_end() { drop(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    void drop() noexcept;

private:
    int fd_;
};

// Both ends of a FIFO, when the other one has come: while they are held, libc opens it without
// waiting. False: cancelled, or interrupted, or what is wrong with it; errno tells.
class held_fifo {
public:
    held_fifo(const char* name, int flags) noexcept;

    explicit operator bool() const noexcept { return static_cast<bool>(mine_); }

private:
    const fifo_end mine_;
    const fifo_end other_;
};

// What fopen() makes of a mode, as far as it matters here.
int flags_of_mode(const char* mode) noexcept;

}  // namespace coir::hook::detail
