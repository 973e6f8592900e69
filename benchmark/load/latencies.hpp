// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <vector>

namespace load {

// Every latency of a window, exact: nothing is binned.
class latencies {
public:
    void clear() noexcept { all_.clear(); }
    void add(std::chrono::nanoseconds one) { all_.push_back(one); }
    std::size_t count() const noexcept { return all_.size(); }

    // To be called before at_us().
    void sort() { std::sort(all_.begin(), all_.end()); }

    // The least one that so many percent of all do not exceed (the nearest rank), in microseconds.
    double at_us(double percent) const {
        if (all_.empty()) {
            return 0;
        }
        const double rank = std::ceil(percent / 100 * static_cast<double>(all_.size()));
        const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
        return std::chrono::duration<double, std::micro>(all_[std::min(index, all_.size() - 1)])
            .count();
    }

private:
    std::vector<std::chrono::nanoseconds> all_;
};

}  // namespace load
