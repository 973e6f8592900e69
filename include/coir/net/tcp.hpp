// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// @brief TCP: connections and listeners.

#include <coir/net/tcp_listener.hpp>
#include <coir/net/tcp_socket.hpp>
