// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "core/signal_line.hpp"
#include "reactor/io_interest.hpp"

#include <coir/deadline.hpp>
#include <coir/export.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>

// What the layers above use to wait for descriptors. On a fiber it parks in the carrier's reactor;
// on a plain thread it blocks in poll(2). Scopes' deadlines count in both. If `signals` says
// so, the wait may end when such a handler of a signal has run; then nothing need be ready.
namespace coir::detail {

io_result wait_io(const io_interest& interest, deadline until,
                  cancellable cancel = cancellable::yes,
                  ended_by signals = ended_by::no_handler) noexcept;

// Waits until one of several is ready. The caller asks the kernel which.
io_result wait_io_any(const io_interest* interests, std::size_t count, deadline until,
                      cancellable cancel = cancellable::yes,
                      ended_by signals = ended_by::no_handler) noexcept;

// To be around what ends a descriptor's life, close(2) or dup2(2): the waits of all fibers for it
// end with EBADF, whatever carrier they are on, those included that begin while this stands. Keeps
// errno.
class COIR_API io_closing {
public:
    explicit io_closing(int descriptor) noexcept;
    io_closing(const io_closing&) = delete;
    io_closing& operator=(const io_closing&) = delete;
    ~io_closing();

private:
    const int descriptor_;
};

// As close(2).
int io_close(int descriptor) noexcept;

// The life of a descriptor ends, or has ended behind our back, and the number stays open: it was
// given away or taken over.
void io_forget(int descriptor) noexcept;

}  // namespace coir::detail
