// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <future>
#include <string>
#include <system_error>

namespace coir::test {

// For BOOST_CHECK_EXCEPTION: an error with this code, whose message has this in it.
inline auto is(std::errc code, std::string part) {
    return [code, part](const std::system_error& e) {
        return e.code() == code && std::string(e.what()).find(part) != std::string::npos;
    };
}

// The same for a future's error.
inline auto is(std::future_errc code) {
    return [code](const std::future_error& e) {
        return e.code() == code;
    };
}

}  // namespace coir::test
