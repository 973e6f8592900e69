// SPDX-License-Identifier: BSL-1.0
// longjmp and its like: a jump out of a signal's handler ends it without a return.
#include "hook/handler_frame.hpp"
#include "hook/interpose.hpp"

#include <setjmp.h>
#include <cstddef>
#include <cstdint>

using namespace coir::hook::detail;

namespace {

// Where a jmp_buf of glibc's has the stack pointer, which it keeps encrypted: exclusive-or with a
// number of the process's, and on x86-64 turned.
#if defined(__x86_64__)
constexpr std::size_t place_of_stack_pointer = 6;
constexpr int turned_by = 17;
#elif defined(__aarch64__)
constexpr std::size_t place_of_stack_pointer = 13;
constexpr int turned_by = 0;
#else
#error "where a jmp_buf has the stack pointer is not known here"
#endif

std::uintptr_t encrypted_stack_pointer(const __jmp_buf_tag& to) noexcept {
    const auto word = static_cast<std::uint64_t>(to.__jmpbuf[place_of_stack_pointer]);
    return turned_by == 0 ? word : word >> turned_by | word << (64 - turned_by) % 64;
}

[[gnu::always_inline]] inline std::uintptr_t own_stack_pointer() noexcept {
    std::uintptr_t here = 0;
#if defined(__x86_64__)
    asm volatile("mov %%rsp, %0" : "=r"(here));
#else
    asm volatile("mov %0, sp" : "=r"(here));
#endif
    return here;
}

// The number, found where the stack pointer is known: setjmp saves the one that its caller has.
[[gnu::noinline]] std::uintptr_t secret() noexcept {
    jmp_buf here;
    static_cast<void>(_setjmp(here));
    return encrypted_stack_pointer(here[0]) ^ own_stack_pointer();
}

void leave_handlers_for(const __jmp_buf_tag* to) noexcept {
    if (handler_frame::is_inside()) {
        handler_frame::leave_for(own_stack_pointer(), encrypted_stack_pointer(*to) ^ secret());
    }
}

}  // namespace

COIR_HOOK [[gnu::noreturn]] void longjmp(__jmp_buf_tag* to, int value) noexcept {
    leave_handlers_for(to);
    COIR_ORIGINAL(longjmp)(to, value);
    __builtin_unreachable();
}

// Other names of the same.
COIR_HOOK [[gnu::noreturn, gnu::alias("longjmp")]] void _longjmp(__jmp_buf_tag* to,
                                                                 int value) noexcept;
COIR_HOOK [[gnu::noreturn, gnu::alias("longjmp")]] void siglongjmp(__jmp_buf_tag* to,
                                                                   int value) noexcept;

// What _FORTIFY_SOURCE makes of them: it looks whether the frame is still there.
COIR_HOOK [[gnu::noreturn]] void __longjmp_chk(__jmp_buf_tag* to, int value) noexcept {
    leave_handlers_for(to);
    COIR_ORIGINAL(__longjmp_chk)(to, value);
    __builtin_unreachable();
}
