// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/log.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace coir::test {

// Keeps what is logged while it lives, instead of letting it be written. One at a time.
class captured_log {
public:
    captured_log() {
        detail::set_log_sink([this](detail::log_level, std::string_view message) {
            const std::lock_guard guard(mutex_);
            text_ += message;
            text_ += '\n';
            ++messages_;
        });
    }
    captured_log(const captured_log&) = delete;
    captured_log& operator=(const captured_log&) = delete;
    ~captured_log() { detail::set_log_sink({}); }

    std::string text() const {
        const std::lock_guard guard(mutex_);
        return text_;
    }
    bool has(std::string_view part) const { return text().find(part) != std::string::npos; }
    std::size_t messages() const {
        const std::lock_guard guard(mutex_);
        return messages_;
    }

private:
    mutable std::mutex mutex_;
    std::string text_;
    std::size_t messages_ = 0;
};

}  // namespace coir::test
