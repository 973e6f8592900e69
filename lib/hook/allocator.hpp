// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::hook::detail {

// Whether code belongs to the program's memory allocator, if that is a library of its own, such as
// jemalloc. An allocator keeps what is the thread's without a lock, and takes locks in the middle
// of changing it: another fiber of the thread, which allocates as well, must not run there.
bool is_allocator(const void* code) noexcept;

}  // namespace coir::hook::detail
