// SPDX-License-Identifier: BSL-1.0
#include "hook/held_mutexes.hpp"

#include "hook/interpose.hpp"

#include <coir/detail/interposition.hpp>
#include <coir/fiber_local.hpp>
#include <coir/hook/hook.hpp>
#include <coir/this_fiber.hpp>

#include <execinfo.h>
#include <unistd.h>
#include <array>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string>
#include <unordered_set>

namespace coir::hook::detail {

namespace {

struct held {
    const void* mutex;
    const void* where;  // it was locked
};

// What a fiber holds now. Of more than that the rest is not watched: whoever notes something must
// not allocate, since an allocator may lock.
struct held_by_fiber {
    std::array<held, 32> mutexes;
    std::size_t count = 0;
};

const fiber_local<held_by_fiber>& held_here() {
    static const auto& variable = *new const fiber_local<held_by_fiber>;  // outlives all fibers
    return variable;
}

void write_text(const std::string& text) noexcept {
    static_cast<void>(COIR_ORIGINAL(write)(STDERR_FILENO, text.data(), text.size()));
}

// Once for each address; by several fibers at once.
bool is_new(const void* mutex) {
    static auto& lock = *new std::mutex;
    static auto& known = *new std::unordered_set<const void*>;
    const std::lock_guard guard(lock);
    return known.insert(mutex).second;
}

std::string hexadecimal(const void* address) {
    char text[32];
    std::snprintf(text, sizeof text, "%p", address);
    return text;
}

void report(const held& one) {
    constexpr int deepest = 64;
    std::array<void*, deepest> frames;
    const int depth = ::backtrace(frames.data(), deepest);
    write_text("coir::hook: fiber '" + this_fiber::name() + "' holds the pthread mutex " +
               hexadecimal(one.mutex) + " while it waits. It was locked by\n");
    void* const where = const_cast<void*>(one.where);
    ::backtrace_symbols_fd(&where, 1, STDERR_FILENO);
    write_text("and the fiber waits in\n");
    ::backtrace_symbols_fd(frames.data(), depth, STDERR_FILENO);
}

// In the middle of a wait's beginning, where nothing may switch.
void report_held() noexcept {
    const passthrough_scope no_switch;
    try {
        const held_by_fiber* const here = held_here().find();
        for (std::size_t i = 0; here != nullptr && i < here->count; ++i) {
            if (is_new(here->mutexes[i].mutex)) {
                report(here->mutexes[i]);
            }
        }
    } catch (const std::exception&) {
        // No memory to report with.
    }
}

[[gnu::constructor]] void begin_to_watch() noexcept {
    if (chosen.on && chosen.held_mutexes) {
        void* frame = nullptr;
        ::backtrace(&frame, 1);  // it loads a library when it is first called
        coir::detail::call_before_parks(report_held);
    }
}

}  // namespace

void note_locked_slowly(const void* mutex, const void* where) noexcept {
    const passthrough_scope no_notes;
    try {
        held_by_fiber& here = held_here().get();
        if (here.count < here.mutexes.size()) {
            here.mutexes[here.count++] = {mutex, where};
        }
    } catch (const std::exception&) {
        // No memory: it is not watched.
    }
}

void note_unlocked_slowly(const void* mutex) noexcept {
    held_by_fiber* const here = held_here().find();
    for (std::size_t i = here != nullptr ? here->count : 0; i-- > 0;) {
        if (here->mutexes[i].mutex == mutex) {
            here->mutexes[i] = here->mutexes[--here->count];
            return;
        }
    }
}

}  // namespace coir::hook::detail
