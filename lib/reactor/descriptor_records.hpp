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
// life, and which reactor has begun to wait for it since. Both are one word, so a wait begins
// either in the life that a close ends, or in the next:
//
//     closer                                   reactor that begins to wait
//     1 end_life: life + 1, nobody is noted    1 begin_wait: is noted, and learns the life
//     2 tells who was noted                    2 if it remembers another life: forgets that
//     3 close(2), dup2(2)                      3 tells the kernel, by the number
//     4 awaited: who is noted?                 4 parks
//     5 tells him
//
// If it was noted before 1, what it is told of (2) is a life that is over, and its waits end with
// EBADF. It is told before the kernel can give the number out again: events of the next file must
// not wake who waited for this one.
//
// If it was noted after 1, it takes the new life for that of the file, which may be the one that
// goes down in 3. Both it and the closer write the word then, the closer what is there already. If
// the reactor comes first, the closer finds it in 4. If the closer does, 3 has happened before the
// reactor tells the kernel, which says EBADF, or takes the number's next file. Hence the invariant:
// *who has told the kernel of a file before its close hears of the close, before it or after it*.
//
// Who waits for the next file may hear of it, too, and must go on waiting; and that file may be one
// that coir has not seen begin (a program's own open(2)). So a reactor that is told, and remembers
// the number's present life, asks the kernel whether the file that it watches is the number's: see
// poller::renew_one_shot(). `test/model/closing.pml` is a model of this.
//
// Records are made on demand and never freed: 64 KiB for each 8192 numbers. Where there is no
// memory for one, or the number is beyond four million, there is none, and what other threads close
// is not noticed.
class descriptor_record {
public:
    static descriptor_record& of(int descriptor) noexcept;

    // The present life of the number. Acquire: with what the closer did before.
    std::uint32_t life() const noexcept { return life_in(word_.load(std::memory_order_acquire)); }

    // By a reactor, numbered from 1. In the common case a load: it is noted already.
    // @returns the life that the wait begins in.
    std::uint32_t begin_wait(std::uint32_t reactor_number) noexcept;

    // @returns whether a reactor other than this one (0: any) may have waits under way in the life
    // that has ended.
    bool end_life(std::uint32_t reactor_number) noexcept;

    // @returns whether a reactor other than this one may have begun to wait since end_life().
    bool awaited(std::uint32_t reactor_number) noexcept;

private:
    static constexpr std::uint32_t several = UINT32_MAX;

    static std::uint32_t life_in(std::uint64_t word) noexcept {
        return static_cast<std::uint32_t>(word >> 32);
    }
    static std::uint32_t waiter_in(std::uint64_t word) noexcept {
        return static_cast<std::uint32_t>(word);
    }

    std::atomic<std::uint64_t> word_{0};  // the life, above the number of a reactor, or `several`
};

// Tells every reactor of the process but `closer` (may be null) that a life of a number is over:
// see reactor::closed_elsewhere().
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
    reactor& registered_;
    std::uint32_t number_;
};

// In the child of a fork(2): those that there are, are the parent's. Async-signal-safe.
void forget_reactors_in_child() noexcept;

}  // namespace coir::detail
