// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace coir::detail {

// The buffers that a call was given, of which some bytes may have been dealt with. A transfer goes
// on with a few buffers at a time, so that no array has to be copied, however long the caller's is.
class transfer_parts {
public:
    transfer_parts(const iovec* parts, std::size_t count) noexcept
        : parts_(parts), count_(parts != nullptr ? count : 0) {}

    // The kernel moves at most 2 GiB less a page in one call, blocking or not: see read(2).
    std::size_t total() const noexcept {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < count_ && sum < most_in_one_call; ++i) {
            sum += std::min(parts_[i].iov_len, most_in_one_call);
        }
        return std::min(sum, most_in_one_call);
    }

    // The buffers after the first `skip` bytes: the first few, and at most `limit` bytes of them.
    struct window {
        std::array<iovec, 16> parts;
        std::size_t count = 0;
    };
    window after(std::size_t skip, std::size_t limit = most_in_one_call) const noexcept {
        window result{};
        for (std::size_t i = 0; i < count_ && limit > 0 && result.count < result.parts.size();
             ++i) {
            const iovec& part = parts_[i];
            if (skip >= part.iov_len) {
                skip -= part.iov_len;
                continue;
            }
            const std::size_t length = std::min(part.iov_len - skip, limit);
            result.parts[result.count++] = {static_cast<char*>(part.iov_base) + skip, length};
            limit -= length;
            skip = 0;
        }
        return result;
    }

private:
    static constexpr std::size_t most_in_one_call = 0x7ffff000;

    const iovec* parts_;
    std::size_t count_;
};

}  // namespace coir::detail
