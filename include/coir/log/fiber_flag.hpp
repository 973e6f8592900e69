// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <spdlog/pattern_formatter.h>

#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <utility>

/// @brief coir in a program's spdlog. Not part of coir/coir.hpp: it needs spdlog's headers, which
/// nothing else of coir's does.
namespace coir::log {

/// @brief A flag for spdlog's patterns that prints which fiber logs: its name and id.
///
/// `worker#12`, or `fiber 12` where it has no name, or `-` on a plain thread. Width, side and
/// truncation work as with spdlog's own flags (`%20*`, `%-20*`, `%-20!*`).
///
/// @suspends Nothing waits.
/// @threadsafety As spdlog's formatters: each sink has its own copy.
/// @errors std::bad_alloc.
/// @lifetime It is asked when a message is formatted. An asynchronous logger does that on a thread
/// of its own, where there is no fiber: put the name into the message there.
/// @example `test/unit/core/fiber_flag.cpp`
class fiber_flag final : public spdlog::custom_flag_formatter {
public:
    /// Appends the calling fiber's name and id to `to`.
    void format(const spdlog::details::log_msg&, const std::tm&,
                spdlog::memory_buf_t& to) override {
        append_padded(text(), to);
    }

    /// @returns another one.
    std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
        return std::make_unique<fiber_flag>();
    }

private:
    static std::string text() {
        const fiber::id id = this_fiber::get_id();
        if (id == fiber::id()) {
            return "-";
        }
        const std::string number = std::to_string(id.value());
        std::string name = this_fiber::name();
        return name == "fiber " + number ? name : std::move(name) + '#' + number;
    }

    // What spdlog does for its own flags, and not for those of others.
    void append_padded(const std::string& text, spdlog::memory_buf_t& to) const {
        using side = spdlog::details::padding_info::pad_side;
        const auto append = [&to](const std::string& part) {
            to.append(part.data(), part.data() + part.size());
        };
        const std::size_t width = padinfo_.enabled() ? padinfo_.width_ : 0;
        const std::size_t missing = width > text.size() ? width - text.size() : 0;
        const std::size_t before = padinfo_.side_ == side::left     ? missing
                                   : padinfo_.side_ == side::center ? missing / 2
                                                                    : 0;
        append(std::string(before, ' '));
        append(padinfo_.enabled() && padinfo_.truncate_ ? text.substr(0, width) : text);
        append(std::string(missing - before, ' '));
    }
};

/// Makes a formatter for spdlog's set_formatter() that knows its flags, and this one as `%*`.
/// @returns the formatter.
inline std::unique_ptr<spdlog::pattern_formatter> make_formatter(std::string pattern,
                                                                 char flag = '*') {
    auto made = std::make_unique<spdlog::pattern_formatter>();
    made->add_flag<fiber_flag>(flag).set_pattern(std::move(pattern));
    return made;
}

}  // namespace coir::log
