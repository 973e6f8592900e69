// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/clients/client.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace coir::test {

using seconds = std::chrono::duration<double>;

// What one client did, all of it on one thread. A failure is an exception, with what the client
// said or what the measurement found.

struct overlap {
    std::size_t calls;
    seconds delay;          // of each call, at the server
    seconds in_turn;        // for as many calls one after another on a plain thread
    seconds in_fibers;      // for all of them at once
    seconds longest_stall;  // what a fiber that sleeps a millisecond at a time has seen
};

// `calls` of 0.2 s at once. The time in turn is that of `sample` calls, scaled.
overlap measure_overlap(client& c, std::size_t calls, std::size_t sample);

// Bytes of stack that one call has used.
std::size_t measure_stack(client& c);

// How long it took until a call returned to its caller after its deadline, its cancellation, the
// end of its server.
seconds measure_deadline(client& c);
seconds measure_cancel(client& c);
seconds measure_death_of_server(client& c);

}  // namespace coir::test
