// SPDX-License-Identifier: BSL-1.0
#include "hook/original.hpp"

#include <coir/detail/interposition.hpp>

#include "base/system_calls.hpp"

#include <dlfcn.h>
#include <cerrno>
#include <cstring>

namespace coir::hook::detail {

constinit std::atomic<void*> original_addresses[call_count] = {};

namespace {

// In place of what this libc lacks.
long is_missing() noexcept {
    errno = ENOSYS;
    return -1;
}

// A part of libc that is linked statically, and of no other.
extern "C" [[gnu::weak]] void _dl_non_dynamic_init();

// Every call would fail for want of libc's own, or call itself.
void demand_dynamic_libc() noexcept {
    if (&_dl_non_dynamic_init != nullptr) {
        coir::detail::end_without_libc(
            "coir::hook: libc's own calls are nowhere behind those of coir::hook, since the "
            "program "
            "is linked statically with libc. Link it dynamically, or without coir::hook.\n");
    }
}

void* find(const char* name) noexcept {
    demand_dynamic_libc();
    void* const found = ::dlsym(RTLD_NEXT, name);
    return found != nullptr ? found : reinterpret_cast<void*>(&is_missing);
}

void* find_by_name(const char* name) noexcept {
    for (std::size_t i = 0; i < call_count; ++i) {
        if (std::strcmp(call_descriptions[i].name, name) == 0) {
            return original_address(static_cast<call>(i));
        }
    }
    return nullptr;
}

// Before all constructors that have no number of their own, those of static objects among them.
// Shared libraries that this one does not need may be even earlier; their first calls look for
// themselves.
[[gnu::constructor(101)]] void find_all() noexcept {
    for (std::size_t i = 0; i < call_count; ++i) {
        if (call_descriptions[i].is_taken()) {
            original_address(static_cast<call>(i));
        }
    }
    coir::detail::take_system_calls_from(find_by_name);
}

}  // namespace

void* find_original_address(call which) noexcept {
    void* const found = find(describe(which).name);
    original_addresses[static_cast<std::size_t>(which)].store(found, std::memory_order_relaxed);
    return found;
}

}  // namespace coir::hook::detail
