// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "reactor/io_interest.hpp"

#include <sys/types.h>
#include <cstddef>
#include <cstdint>

struct sockaddr;

namespace coir::detail {

class waiter;

// One call on a socket, made by the kernel as soon as it can be made: as recv(2), send(2),
// accept4(2) and connect(2), but that a fiber waits until it is over, and not until it is worth
// trying. It stands on the stack of that fiber.
//
// From start() until it is over the buffer is the kernel's, and nothing changes that: not a
// deadline, a cancellation, or that the descriptor is closed. They make the fiber ask for the end,
// and then it waits for that, whatever else happens. An end that had been reached already is what
// counts, so bytes that were moved are told of; the end of a stream is not, which stays.
//
// What the kernel has not been told of yet is not made when its end is asked for, but for a send:
// one that need not wait is made, as if it had been at once.
struct io_operation {
    enum class call : std::uint8_t { receive, send, accept, connect };

    direction which() const noexcept {
        return what == call::receive || what == call::accept ? direction::read : direction::write;
    }
    // Ends the wait of who waits for it, if somebody does.
    void disturb() noexcept;

    call what;
    int descriptor;
    void* data;  // receive, send: the bytes; accept, connect: the address
    std::size_t size = 0;
    int flags = 0;                     // of recv(2), send(2), accept4(2)
    unsigned* address_size = nullptr;  // accept: a socklen_t

    bool later = false;  // it certainly cannot be made now

    unsigned place = 0;  // the backend's own

    // What the backend writes when it is over.
    int result = 0;             // as the system call's, or an errno, negative
    bool more_to_read = false;  // receive: certainly
    bool over = false;
    waiter* who = nullptr;  // whose wait ends then; null: nobody's
};

// The part of a backend that makes calls. Used by the carrier alone, as the poller is.
class completion_port {
public:
    // Tells the kernel, with the next wait. False: there is no memory for it.
    virtual bool start(io_operation& operation) noexcept = 0;
    // Asks for the end of one that is under way. It is over soon, in the one way or the other.
    virtual void ask_for_end(io_operation& operation) noexcept = 0;
    // The same for all that are on the file that has this number. The kernel has let go of the file
    // when this returns, where it can.
    virtual void ask_for_end_of_all(int descriptor) noexcept = 0;
    // Whether the next wait tells the kernel something in any case.
    virtual bool has_requests() const noexcept = 0;

    // How many were over so far; it wraps.
    std::size_t count_of_ends() const noexcept { return ends_; }

protected:
    ~completion_port() = default;
    // To be called by the backend when it has written the result. `operation` may be gone then.
    void end(io_operation& operation) noexcept;

private:
    std::size_t ends_ = 0;
};

// Whether the calling carrier's backend makes calls.
bool io_completes() noexcept;
// Whether it would make this one: not if it makes one for another fiber, on the same descriptor and
// in the same direction.
bool io_completes(const io_operation& operation) noexcept;

// Whether it is good to leave a call to the kernel that could be made at once: if others run in the
// meantime, and the kernel gets what they ask for in the same go, it saves a system call. For one
// alone it would be a detour.
bool io_in_company() noexcept;

// Makes the call, and waits until it is over. Notified with error 0: it is over, and the result is
// the call's; an error (EBADF, ENOMEM): it was not made. Cancelled: neither was it.
// Only if io_completes(operation).
io_result io_perform(io_operation& operation) noexcept;

// Sends what the backend is to do with a descriptor on its way, so that it comes before the system
// call that the caller is about to make.
void io_submit(int descriptor) noexcept;

}  // namespace coir::detail
