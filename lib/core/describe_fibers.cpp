// SPDX-License-Identifier: BSL-1.0
#include "core/scheduler.hpp"

#include "time/clock.hpp"

#include <boost/core/demangle.hpp>
#include <chrono>
#include <string>
#include <typeinfo>

// What a scheduler says of its fibers.
namespace coir::detail {

namespace {

const char* to_string(fiber_place place) noexcept {
    switch (place) {
        case fiber_place::unstarted: return "not started";
        case fiber_place::ready: return "ready";
        case fiber_place::running: return "running";
        case fiber_place::parked: return "waits for";
        case fiber_place::ended: return "ended";
    }
    return "?";
}

std::string birth_place(const fiber_control& fiber) {
    std::string text;
    if (*fiber.options.place.file != '\0') {
        text += std::string(" spawned at ") + fiber.options.place.file + ':' +
                std::to_string(fiber.options.place.line);
    }
    if (fiber.callable != nullptr) {
        text += " running " + boost::core::demangle(fiber.callable->type->name());
    }
    return text;
}

}  // namespace

std::string scheduler::describe_fibers() const {
    const auto at = now();
    std::string text;
    for (const fiber_control& fiber : all_) {
        text += "  '" + fiber.display_name() + '\'' + birth_place(fiber) + ": " +
                to_string(fiber.place);
        if (fiber.place == fiber_place::parked) {
            const auto waited =
                std::chrono::duration_cast<std::chrono::milliseconds>(at - fiber.parked_since);
            text += ' ';
            text += fiber.label.text;
            if (fiber.label.number >= 0) {
                text += ' ' + std::to_string(fiber.label.number);
            }
            text += " since " + std::to_string(waited.count()) + " ms";
        }
        text += '\n';
    }
    return text;
}

}  // namespace coir::detail
