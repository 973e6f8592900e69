// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// @brief All of coir but its optional targets.

#include <coir/async.hpp>
#include <coir/await.hpp>
#include <coir/blocking.hpp>
#include <coir/blocking_pool.hpp>
#include <coir/cancellation.hpp>
#include <coir/carrier.hpp>
#include <coir/deadline.hpp>
#include <coir/fiber.hpp>
#include <coir/fiber_local.hpp>
#include <coir/gather.hpp>
#include <coir/guest_run.hpp>
#include <coir/io/buffered_stream.hpp>
#include <coir/io/stream.hpp>
#include <coir/net/endpoint.hpp>
#include <coir/net/open_connection.hpp>
#include <coir/net/resolve.hpp>
#include <coir/net/tcp.hpp>
#include <coir/packaged_task.hpp>
#include <coir/posix.hpp>
#include <coir/run.hpp>
#include <coir/run_options.hpp>
#include <coir/runtime.hpp>
#include <coir/signal_safe_event.hpp>
#include <coir/sync.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>
#include <coir/wait_queue.hpp>
