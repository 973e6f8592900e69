// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace coir::detail {

// How often coir has closed a descriptor of each number, on whatever thread: how a reactor learns
// that what it remembers of a number (that the kernel has been told, that a read would say EAGAIN)
// is about a file that another thread has closed since.
//
// Numbers that are equal modulo the size share a count. So a difference means "perhaps": who finds
// one tells the kernel once more, which at worst costs a system call and a spurious event.
//
// The closer counts up before close(2), and the kernel gives a number out only after; so who holds
// the next descriptor of the number sees the count. Release and acquire are for the same order as
// the compiler sees it.
class descriptor_epochs {
public:
    static std::uint32_t of(int descriptor) noexcept {
        return count(descriptor).load(std::memory_order_acquire);
    }
    static void next(int descriptor) noexcept {
        count(descriptor).fetch_add(1, std::memory_order_release);
    }

private:
    static constexpr std::size_t size = 4096;

    static std::atomic<std::uint32_t>& count(int descriptor) noexcept {
        return counts_[static_cast<std::size_t>(descriptor) % size];
    }

    inline static constinit std::array<std::atomic<std::uint32_t>, size> counts_{};
};

}  // namespace coir::detail
