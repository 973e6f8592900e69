// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>
#include <string>

namespace coir::hook::detail {

// What another thread is at: the number of the system call that it waits in, or one of these.
using thread_activity = long;
constexpr thread_activity computing = -1;         // it runs, or would if it had a processor
constexpr thread_activity waiting_for_page = -2;  // for memory that is not there: a disk
constexpr thread_activity not_known = -3;         // the kernel does not tell

// Of a thread of this process, while it lives. By opening a file: on a plain thread.
thread_activity activity_of(pid_t thread) noexcept;

// Whether a signal ends that, or is its result, though its handler returns: no thread that is at it
// should get one that the program knows nothing of.
bool awaits_signals(thread_activity what) noexcept;

// "in the system call nanosleep".
std::string describe(thread_activity what);

}  // namespace coir::hook::detail
