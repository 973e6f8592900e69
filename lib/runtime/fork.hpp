// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::detail {

// From now on a child of fork(2) is a plain thread, whatever its parent was: it has none of the
// other carriers and of the pool's threads, and of the reactor's kernel object only a share, with
// which it would take the parent's events.
void follow_forks();

}  // namespace coir::detail
