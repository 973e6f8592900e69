// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/unique_fd.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace coir::test {

// Real descriptors for tests: non-blocking, closed by the destructor.
struct pipe_ends {
    pipe_ends() {
        int ends[2];
        BOOST_REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
        read.reset(ends[0]);
        write.reset(ends[1]);
    }
    detail::unique_fd read;
    detail::unique_fd write;
};

struct socket_pair {
    socket_pair() {
        int ends[2];
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) ==
                      0);
        near.reset(ends[0]);
        far.reset(ends[1]);
    }
    detail::unique_fd near;
    detail::unique_fd far;
};

// Lets the process open so many descriptors, for as long as it lives.
class descriptor_limit {
public:
    explicit descriptor_limit(rlim_t soft) {
        BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        const rlimit lowered{soft, before_.rlim_max};
        BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &lowered) == 0);
    }
    descriptor_limit(const descriptor_limit&) = delete;
    descriptor_limit& operator=(const descriptor_limit&) = delete;
    ~descriptor_limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

// One byte. Boost.Test may be used by one thread at a time: other threads take the second.
inline void put(const detail::unique_fd& to) { BOOST_REQUIRE(::write(to.get(), "x", 1) == 1); }
inline void put_from_thread(const detail::unique_fd& to) {
    static_cast<void>(!::write(to.get(), "x", 1));
}

}  // namespace coir::test
