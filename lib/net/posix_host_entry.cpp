// SPDX-License-Identifier: BSL-1.0
#include "net/posix_host_entry.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace coir::detail {

namespace {

// Deals a caller's memory out, piece by piece. A piece that does not fit is null, and so are all
// after it.
class memory_dealer {
public:
    memory_dealer(char* memory, std::size_t size) noexcept : next_(memory), left_(size) {}

    char* take(std::size_t size, std::size_t alignment) noexcept {
        const auto misaligned = reinterpret_cast<std::uintptr_t>(next_) % alignment;
        const std::size_t padding = misaligned != 0 ? alignment - misaligned : 0;
        if (left_ < padding || left_ - padding < size) {
            left_ = 0;
            return nullptr;
        }
        char* const piece = next_ + padding;
        next_ = piece + size;
        left_ -= padding + size;
        return piece;
    }

    char* copy(const char* from, std::size_t size, std::size_t alignment) noexcept {
        char* const to = take(size, alignment);
        if (to != nullptr) {
            std::memcpy(to, from, size);
        }
        return to;
    }

private:
    char* next_;
    std::size_t left_;
};

std::size_t length(char* const* list) noexcept {
    std::size_t n = 0;
    while (list != nullptr && list[n] != nullptr) {
        ++n;
    }
    return n;
}

char** take_list(memory_dealer& memory, std::size_t count) noexcept {
    char* const place = memory.take((count + 1) * sizeof(char*), alignof(char*));
    if (place == nullptr) {
        return nullptr;
    }
    auto** const list = reinterpret_cast<char**>(place);
    list[count] = nullptr;
    return list;
}

}  // namespace

host_entry::host_entry(host_entry&& other) noexcept { *this = std::move(other); }

host_entry& host_entry::operator=(host_entry&& other) noexcept {
    memory_ = std::move(other.memory_);
    entry_ = std::exchange(other.entry_, hostent{});
    return *this;
}

#ifdef __linux__
int host_entry::look_up(const char* name, int& host_error) {
    constexpr std::size_t usual_size = 1024;
    for (std::size_t size = usual_size;; size *= 2) {
        memory_.reset(new char[size]);
        hostent* found = nullptr;
        host_error = 0;
        const int error =
            ::gethostbyname_r(name, &entry_, memory_.get(), size, &found, &host_error);
        if (error == ERANGE && host_error == NETDB_INTERNAL) {
            continue;
        }
        if (found == nullptr) {
            memory_.reset();
        }
        return found == nullptr && host_error == NETDB_INTERNAL ? error : 0;
    }
}
#else
// POSIX has no gethostbyname_r; where that is missing, gethostbyname answers each thread by itself.
int host_entry::look_up(const char* name, int& host_error) {
    const hostent* const found = ::gethostbyname(name);
    host_error = found == nullptr ? h_errno : 0;
    memory_.reset();
    if (found == nullptr) {
        return host_error == NETDB_INTERNAL ? errno : 0;
    }
    host_entry borrowed;
    borrowed.entry_ = *found;
    std::size_t size = 1024;
    do {
        size *= 2;
        memory_.reset(new char[size]);
    } while (!borrowed.copy_to(entry_, memory_.get(), size));
    return 0;
}
#endif

bool host_entry::copy_to(hostent& to, char* buffer, std::size_t size) const noexcept {
    memory_dealer memory(buffer, size);
    const std::size_t address_count = length(entry_.h_addr_list);
    const std::size_t alias_count = length(entry_.h_aliases);
    hostent copy = entry_;
    copy.h_addr_list = take_list(memory, address_count);
    copy.h_aliases = take_list(memory, alias_count);
    if (copy.h_addr_list == nullptr || copy.h_aliases == nullptr) {
        return false;
    }
    bool fits = true;
    for (std::size_t i = 0; i < address_count; ++i) {
        copy.h_addr_list[i] =
            memory.copy(entry_.h_addr_list[i], static_cast<std::size_t>(entry_.h_length),
                        alignof(std::uint32_t));
        fits = fits && copy.h_addr_list[i] != nullptr;
    }
    for (std::size_t i = 0; i < alias_count; ++i) {
        copy.h_aliases[i] =
            memory.copy(entry_.h_aliases[i], std::strlen(entry_.h_aliases[i]) + 1, 1);
        fits = fits && copy.h_aliases[i] != nullptr;
    }
    copy.h_name = memory.copy(entry_.h_name, std::strlen(entry_.h_name) + 1, 1);
    if (!fits || copy.h_name == nullptr) {
        return false;
    }
    to = copy;
    return true;
}

}  // namespace coir::detail
