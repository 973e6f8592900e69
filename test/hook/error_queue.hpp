// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/callers.hpp"

#include <coir/this_fiber.hpp>

#include <openssl/err.h>
#include <string>
#include <utility>

namespace coir::test {

// What two fibers of a thread find in OpenSSL's error queue, when the first has put 1 there and the
// second 2, in this order.
inline std::pair<std::string, std::string> errors_read_by_two_fibers() {
    const auto put_and_read = [](int reason, std::string& read) {
        ERR_clear_error();
        this_fiber::yield();  // now both queues are empty
        ERR_raise(ERR_LIB_USER, reason);
        this_fiber::yield();
        while (const unsigned long error = ERR_get_error()) {
            read += std::to_string(ERR_GET_REASON(error));
        }
    };
    std::pair<std::string, std::string> result;
    in_fibers([&] { put_and_read(1, result.first); }, [&] { put_and_read(2, result.second); });
    return result;
}

}  // namespace coir::test
