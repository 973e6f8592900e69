// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace coir::detail {

class reactor;

// What the reactors of a process have to know of each other. A descriptor's number is the
// process's, and what a reactor remembers of one (that the kernel has been told, that a read would
// say EAGAIN, who waits) is about one file. Another thread may close that file.
//
// So there is a record for each number: how often coir has closed it, or has seen it begin a new
// life, and which reactor waits for it. The closer counts up before close(2), and the kernel gives
// a number out only after; so who holds the number's next file finds the count changed. Who waits
// is told by the closer.
//
// Records are made on demand and never freed: 64 KiB for each 8192 numbers. Where there is no
// memory for one, or the number is beyond four million, there is none, and what other threads close
// is not noticed.
struct descriptor_record {
    static descriptor_record& of(int descriptor) noexcept;

    // The present life of the number. Acquire: with what the closer did before.
    std::uint32_t life() const noexcept { return closes.load(std::memory_order_acquire); }

    // By a reactor that begins to wait. In the common case a load: it is that reactor's already.
    void note_waiter(std::uint32_t reactor_number) noexcept;

    // The number's life ends. @returns whether a reactor other than this one (0: any) may have
    // waits under way.
    bool end_life(std::uint32_t reactor_number) noexcept;

    static constexpr std::uint32_t several = UINT32_MAX;
    std::atomic<std::uint32_t> closes{0};
    std::atomic<std::uint32_t> waiter{0};  // a reactor's number, or `several`
};

// Tells every reactor of the process but `closer` (may be null) that the present life of a number
// is over: see reactor::closed_elsewhere().
void tell_other_reactors(const reactor* closer, int descriptor) noexcept;

// Registers a reactor for as long as it lives, and numbers it from 1.
class reactor_registration {
public:
    explicit reactor_registration(reactor& registered);
    reactor_registration(const reactor_registration&) = delete;
    reactor_registration& operator=(const reactor_registration&) = delete;
    ~reactor_registration();

    std::uint32_t number() const noexcept { return number_; }

private:
    std::uint32_t number_;
};

}  // namespace coir::detail
