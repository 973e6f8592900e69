// SPDX-License-Identifier: BSL-1.0
#include "options.hpp"

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>

namespace load {

namespace {

template <class T>
T number(std::string_view name, std::string_view text, T least) {
    T value{};
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stopped != end || value < least) {
        throw std::invalid_argument(std::string(name) + " '" + std::string(text) +
                                    "' is no number of at least " + std::to_string(least));
    }
    return value;
}

void set(options& all, std::string_view name, std::string_view text) {
    if (name == "--port") {
        all.port = number<std::uint16_t>(name, text, 1);
    } else if (name == "--pid") {
        all.server = number<pid_t>(name, text, 1);
    } else if (name == "--connections") {
        all.connections = number<std::size_t>(name, text, 1);
    } else if (name == "--idle") {
        all.idle = number<std::size_t>(name, text, 0);
    } else if (name == "--size") {
        all.bytes = number<std::size_t>(name, text, 1);
    } else if (name == "--seconds") {
        all.seconds = number<double>(name, text, 0.001);
    } else {
        throw std::invalid_argument("unknown option " + std::string(name));
    }
}

}  // namespace

options options_from(int argc, char** argv) {
    options all;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--on-request") {
            all.on_request = true;
        } else if (i + 1 == argc) {
            throw std::invalid_argument(std::string(name) + " needs a value");
        } else {
            set(all, name, argv[++i]);
        }
    }
    if (all.port == 0) {
        throw std::invalid_argument("--port is missing");
    }
    return all;
}

}  // namespace load
