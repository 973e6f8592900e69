// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hook/clients/client.hpp"
#include "hook/clients/server_process.hpp"

#include <cerrno>
#include <cstring>
#include <string>

namespace coir::test {

// A row with no server of other people's.
class local_calls : public client {
public:
    bool has_server() const override { return false; }

    // What a caller that has gone on has left running.
    void kill() override { end_children(); }

protected:
    static void require(bool holds) {
        if (!holds) {
            throw client_error(std::strerror(errno));
        }
    }

    static std::string in_seconds(std::chrono::milliseconds time) {
        return std::to_string(double(time.count()) / 1000);
    }
};

}  // namespace coir::test
