// SPDX-License-Identifier: BSL-1.0
// Makes the system call futex without libc.
#include <sys/syscall.h>

long raw_system_call(int* word) {
#if defined(__x86_64__)
    long result = SYS_futex;
    __asm__ volatile(
        "mov %1, %%eax\n\t"
        "syscall"
        : "=&a"(result)
        : "i"(SYS_futex), "D"(word), "S"(0L), "d"(0L)
        : "rcx", "r11", "memory");
    return result;
#else
    register long number __asm__("x8");
    register long result __asm__("x0") = (long)word;
    __asm__ volatile(
        "mov x8, %2\n\t"
        "svc #0"
        : "+r"(result), "=r"(number)
        : "i"(SYS_futex)
        : "x1", "x2", "memory");
    return result;
#endif
}
