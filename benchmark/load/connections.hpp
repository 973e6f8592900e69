// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "latencies.hpp"
#include "options.hpp"

#include <chrono>
#include <cstddef>
#include <vector>

namespace load {

// A closed loop: on each busy connection one request is under way, and the answer brings the next.
// The idle ones are open, were each served once, and say nothing any more.
//
// A request is a piece of one fixed pattern that begins elsewhere each time, so that an answer to
// another request, or bytes of another connection, are seen to be wrong.
class connections {
public:
    // Opens all of them, and waits for one answer on each, so that the server has them all.
    explicit connections(const options& what);
    connections(const connections&) = delete;
    connections& operator=(const connections&) = delete;
    ~connections();

    // Asks for so long, then takes the answers that are due, so that a window counts whole requests
    // and begins and ends with an idle server. Throws std::runtime_error at a wrong answer.
    void run(std::chrono::nanoseconds how_long, latencies& into);

private:
    using clock = std::chrono::steady_clock;
    struct connection {
        int socket = -1;
        std::size_t pattern_begin = 0;  // of the request under way
        std::size_t answered = 0;       // bytes of it
        clock::time_point asked;
    };

    connection open(std::size_t index) const;
    void ask(connection& on);
    bool take_answer(connection& on);

    const options what_;
    int epoll_;
    std::vector<char> pattern_;
    std::vector<char> answer_;
    std::vector<connection> all_;  // the busy ones, then the idle ones
    std::size_t next_begin_ = 0;
};

}  // namespace load
