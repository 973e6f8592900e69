// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/fiber.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

/// @file
/// @brief The carrier threads of a run(): which one a fiber is on, and naming one at spawn.

namespace coir {

/// Spawns a fiber that calls `fn(args...)` on the carrier thread with this number: a
/// `coir::fiber` with fiber_options::on(). It may be called on any carrier of the run.
/// @throws std::invalid_argument if the run has no such carrier; and what the constructor of fiber
/// throws.
template <class F, class... Args,
          class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>>>
fiber spawn_on(int carrier, F&& fn, Args&&... args) {
    return fiber(fiber_options({}, 0, {}).on(carrier), std::forward<F>(fn),
                 std::forward<Args>(args)...);
}

/// @brief Calls about the carrier thread that makes them.
namespace this_carrier {

/// @returns the number of the calling fiber's carrier thread, from 0; -1 on a plain thread. It
/// stays the same for all of a fiber's life.
COIR_API int number() noexcept;

/// @returns how many carrier threads the calling fiber's run has (run_options::threads); 0 on a
/// plain thread.
COIR_API std::size_t count() noexcept;

}  // namespace this_carrier

}  // namespace coir
