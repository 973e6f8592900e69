// SPDX-License-Identifier: BSL-1.0
// warm_calls WHERE KIND ROUNDS: so many calls on sockets that need not wait, on a plain thread or
// in a fiber, for check_system_calls to count what they ask of the kernel.
#include <coir/hook/hook.hpp>
#include <coir/run.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

// As a client asks: with a request and for its answer, which is there.
void must_move(ssize_t bytes) {
    if (bytes != 4) {
        std::perror("warm_calls");
        std::exit(1);
    }
}

using both_ends = std::array<int, 2>;
std::array<char, 4> word;

void send_and_recv(const both_ends& ends) {
    must_move(::send(ends[0], word.data(), word.size(), 0));
    must_move(::recv(ends[1], word.data(), word.size(), 0));
}

void write_and_read(const both_ends& ends) {
    must_move(::write(ends[0], word.data(), word.size()));
    must_move(::read(ends[1], word.data(), word.size()));
}

void writev_and_readv(const both_ends& ends) {
    const iovec part{word.data(), word.size()};
    must_move(::writev(ends[0], &part, 1));
    must_move(::readv(ends[1], &part, 1));
}

void poll_before_each(const both_ends& ends) {
    pollfd out{ends[0], POLLOUT, 0};
    must_move(::poll(&out, 1, -1) == 1 ? 4 : 0);
    must_move(::send(ends[0], word.data(), word.size(), MSG_NOSIGNAL));
    pollfd in{ends[1], POLLIN, 0};
    must_move(::poll(&in, 1, -1) == 1 ? 4 : 0);
    must_move(::recv(ends[1], word.data(), word.size(), 0));
}

struct kind {
    std::string_view name;
    void (*round)(const both_ends& ends);
};

constexpr std::array kinds{
    kind{"send", send_and_recv},
    kind{"write", write_and_read},
    kind{"writev", writev_and_readv},
    kind{"poll", poll_before_each},
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        return 2;
    }
    for (const kind& one : kinds) {
        if (one.name != argv[2]) {
            continue;
        }
        both_ends ends{};
        must_move(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0 ? 4 : 0);
        const int rounds = std::atoi(argv[3]);
        const auto work = [&] {
            for (int i = 0; i < rounds; ++i) {
                one.round(ends);
            }
        };
        if (std::string_view(argv[1]) == "fiber") {
            coir::run([&] {
                if (!coir::hook::active()) {
                    std::fputs("warm_calls: the calls are not taken\n", stderr);
                    std::exit(1);
                }
                work();
            });
        } else {
            work();
        }
        return 0;
    }
    return 2;
}
