// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace coir::hook::detail {

// How long to wait before the next look at what nobody announces: 1, 2, 4 .. 32 ms.
class retry_pace {
public:
    std::chrono::milliseconds next_pause() noexcept {
        const auto pause = next_;
        if (next_ < longest) {
            next_ *= 2;
        }
        return pause;
    }

private:
    static constexpr std::chrono::milliseconds longest{32};
    std::chrono::milliseconds next_{1};
};

}  // namespace coir::hook::detail
