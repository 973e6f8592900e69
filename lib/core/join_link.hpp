// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::detail {

class fiber_control;

// That the calling fiber waits for the end of another one, for as long as it lives. With all such
// links it is known at once when a join would wait for itself by way of others: as a deadlock it
// would be seen only when nothing else goes on in the run, and in a server that is never.
//
// One lock guards the links of all runs, since a circle may go through several carriers: of the
// fibers in it the last to come finds the others' links, in whatever order they come. A link may be
// followed under the lock, for what it leads to is kept by the handle that its fiber waits with.
// Who leaves a join takes its link away first. The way is short: from a fiber that was joined
// before it joins others itself, it is a single step.
//
// A plain thread has no link: nobody joins it with a fiber's handle.
class join_link {
public:
    enum class circle : bool { is_refused, is_let_be };

    // Throws std::system_error (resource_deadlock_would_occur) if it would close a circle, where
    // that is refused.
    join_link(fiber_control& joined, circle closed);
    join_link(const join_link&) = delete;
    join_link& operator=(const join_link&) = delete;
    ~join_link();

private:
    fiber_control* const joiner_;  // null: a plain thread
};

}  // namespace coir::detail
