// SPDX-License-Identifier: BSL-1.0
#include "gap_record.hpp"

#include <algorithm>

namespace coir::run_tool {

void gap_record::add_look(activity at) noexcept {
    auto place = std::ranges::find_if(in_this_gap, [at](const tally& one) {
        return one.looks.load(std::memory_order_relaxed) == 0 ||
               one.at.load(std::memory_order_relaxed) == at;
    });
    if (place != in_this_gap.end()) {
        place->at.store(at, std::memory_order_relaxed);
        place->looks.fetch_add(1, std::memory_order_relaxed);
    }
}

void gap_record::end_gap(nanoseconds at) noexcept {
    const nanoseconds duration = at - last_tick.load(std::memory_order_relaxed);
    const auto most = std::ranges::max_element(in_this_gap, {}, [](const tally& one) {
        return one.looks.load(std::memory_order_relaxed);
    });
    const activity spent_on =
        most->looks.load(std::memory_order_relaxed) != 0 ? most->at.load() : unseen;
    if (duration > longest) {
        longest = duration;
        longest_at = spent_on;
    }
    if (duration >= threshold) {
        auto place = std::ranges::find_if(
            sums, [&](const sum& one) { return one.gaps == 0 || one.at == spent_on; });
        place = place == sums.end() ? std::prev(place) : place;
        place->at = place->gaps == 0 ? spent_on : place->at;
        ++place->gaps;
        place->duration += duration;
    }
    for (tally& one : in_this_gap) {
        one.looks.store(0, std::memory_order_relaxed);
    }
    last_tick.store(at, std::memory_order_relaxed);
}

}  // namespace coir::run_tool
