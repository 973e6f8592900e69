// SPDX-License-Identifier: BSL-1.0
#include "gap_report.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>

namespace coir::run_tool {

namespace {

std::string in_milliseconds(nanoseconds duration) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f ms",
                  std::chrono::duration<double, std::milli>(duration).count());
    return text;
}

std::string describe_activity(activity at) {
    switch (at) {
        case asleep: return "while nothing was to be done, and the machine was late to go on";
        case unseen: return "too short to be looked into";
        default: return hook::detail::describe(at);
    }
}

}  // namespace

std::string describe(const gap_record& record, const std::string& program) {
    const std::string start = "coir-run: ";
    switch (record.reached.load()) {
        case gap_record::stage::loaded_not:
            return start + program + " did not load coir's libraries: nothing was measured\n";
        case gap_record::stage::not_begun:
        case gap_record::stage::without_fibers:
            return start + program + " ran outside of fibers: nothing was measured\n";
        case gap_record::stage::running:
        case gap_record::stage::over: break;
    }
    std::string text = start + program + ": " + std::to_string(record.ticks) + " ticks in " +
                       in_milliseconds(record.last_tick.load() - record.begun) + "; longest gap " +
                       in_milliseconds(record.longest) + ", " +
                       describe_activity(record.longest_at) + '\n';
    auto sums = record.sums;
    std::ranges::sort(sums, std::greater(), &gap_record::sum::duration);
    const std::string counted = " of " + in_milliseconds(record.threshold) + " and more";
    if (sums.front().gaps == 0) {
        return text + start + "no gap" + counted + '\n';
    }
    for (const auto& one : sums) {
        if (one.gaps != 0) {
            text += start + std::to_string(one.gaps) + (one.gaps == 1 ? " gap" : " gaps") +
                    counted + ", " + in_milliseconds(one.duration) + " in all, " +
                    describe_activity(one.at) + '\n';
        }
    }
    return text;
}

}  // namespace coir::run_tool
