// SPDX-License-Identifier: BSL-1.0
// vfork returns twice on one stack, so no function of ours can stand around it: it leaves a word
// and jumps. _Fork, which calls no handlers of pthread_atfork, leaves the same.
#include "hook/interpose.hpp"

#include <unistd.h>

using namespace coir::hook::detail;

extern "C" {

// What vfork below calls first. @returns libc's own.
[[gnu::used, gnu::visibility("hidden")]] void* coir_hook_before_vfork() noexcept {
    has_vforked.store(true, std::memory_order_relaxed);
    return original_address(call::vfork);
}

}  // extern "C"

// libc's vfork must find our caller's return address where a call has left it.
#if defined(__x86_64__)
asm(R"(
    .text
    .globl vfork
    .type vfork, @function
vfork:
    .cfi_startproc
    endbr64
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call coir_hook_before_vfork
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    jmp *%rax
    .cfi_endproc
    .size vfork, .-vfork
    .globl __vfork
    .set __vfork, vfork
)");
#elif defined(__aarch64__)
asm(R"(
    .text
    .globl vfork
    .type vfork, %function
vfork:
    .cfi_startproc
    hint #34
    stp x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    bl coir_hook_before_vfork
    ldp x29, x30, [sp], #16
    .cfi_def_cfa_offset 0
    .cfi_restore x29
    .cfi_restore x30
    mov x16, x0
    br x16
    .cfi_endproc
    .size vfork, .-vfork
    .globl __vfork
    .set __vfork, vfork
)");
#else
#error "how to jump to vfork is not known for this processor"
#endif

COIR_HOOK pid_t _Fork() noexcept {
    has_vforked.store(true, std::memory_order_relaxed);
    return COIR_ORIGINAL(_Fork)();
}
