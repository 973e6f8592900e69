// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/system_calls.hpp"

// What a test writes into the table of system calls is undone at the end of its scope.
class system_call_override {
public:
    system_call_override() = default;
    ~system_call_override() { coir::detail::sys = before_; }
    system_call_override(const system_call_override&) = delete;
    system_call_override& operator=(const system_call_override&) = delete;

    const coir::detail::system_calls& original() const { return before_; }

private:
    coir::detail::system_calls before_ = coir::detail::sys;
};
