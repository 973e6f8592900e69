// SPDX-License-Identifier: BSL-1.0
#include "base/own_descriptor.hpp"

#include "base/sanitizers.hpp"
#include "base/system_calls.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace coir::detail {

namespace {

// Below the limit of select(2), which is the usual one of a process as well: higher numbers would
// make the kernel's table larger than the program does.
constexpr rlim_t highest = 1024;
constexpr rlim_t room = 96;

// The lowest number that is out of a program's way; 0 where the limit leaves no such.
int lowest_number() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    const rlim_t end = std::min(limit.rlim_cur, highest);
    return end >= 4 * room ? static_cast<int>(end - room) : 0;
}

int move_up(int fd) noexcept {
    const int lowest = lowest_number();
    if (fd < 0 || fd >= lowest) {
        return fd;
    }
    const int before = errno;
    const int moved = sys.fcntl(fd, F_DUPFD_CLOEXEC, lowest);
    if (moved >= 0) {
#ifdef COIR_THREAD_SANITIZER
        // It follows what one thread writes to a descriptor and another one reads of it, and knows
        // a descriptor's copies by dup3, but not by fcntl.
        sys.dup3(fd, moved, O_CLOEXEC);
#endif
        sys.close(fd);
    }
    errno = before;
    return moved >= 0 ? moved : fd;
}

// Which numbers are coir's. One that is too high for the table is not protected.
constexpr std::size_t bits = 64;
std::array<std::atomic<std::uint64_t>, 4096 / bits> owned{};
std::atomic<int> count{0};

std::uint64_t bit_of(int fd) noexcept {
    return std::uint64_t{1} << (static_cast<std::size_t>(fd) % bits);
}

std::atomic<std::uint64_t>* word_of(int fd) noexcept {
    const std::size_t index = static_cast<std::size_t>(fd) / bits;
    return fd >= 0 && index < owned.size() ? &owned[index] : nullptr;
}

}  // namespace

own_descriptor::own_descriptor(int fd) noexcept : fd_(move_up(fd)) {
    if (std::atomic<std::uint64_t>* const word = word_of(get()); word != nullptr) {
        word->fetch_or(bit_of(get()), std::memory_order_relaxed);
        count.fetch_add(1, std::memory_order_relaxed);
    }
}

own_descriptor& own_descriptor::operator=(own_descriptor&& other) noexcept {
    reset();
    fd_ = std::move(other.fd_);
    return *this;
}

void own_descriptor::reset() noexcept {
    const int fd = get();
    if (std::atomic<std::uint64_t>* const word = word_of(fd); word != nullptr) {
        if ((word->fetch_and(~bit_of(fd), std::memory_order_relaxed) & bit_of(fd)) != 0) {
            count.fetch_sub(1, std::memory_order_relaxed);
        }
    }
    fd_.reset();
}

bool own_descriptor::has(int fd) noexcept {
    const std::atomic<std::uint64_t>* const word = word_of(fd);
    return word != nullptr && (word->load(std::memory_order_relaxed) & bit_of(fd)) != 0;
}

bool own_descriptor::any() noexcept { return count.load(std::memory_order_relaxed) != 0; }

void own_descriptor::forget_in_child() noexcept {
    for (std::atomic<std::uint64_t>& word : owned) {
        word.store(0, std::memory_order_relaxed);
    }
    count.store(0, std::memory_order_relaxed);
}

}  // namespace coir::detail
