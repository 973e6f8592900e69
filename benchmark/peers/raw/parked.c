// SPDX-License-Identifier: BSL-1.0
// What no library can do without for a million stacks with guard pages: one page each, and the page
// tables for them. Nothing runs on them. A kernel without MADV_GUARD_INSTALL (before 6.13) is not
// asked for guards, which then would need a mapping each.
#include "measure.h"

#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

int main(int argc, char** argv) {
    const size_t stacks = (size_t)argument(argc, argv, "--fibers", 1000000);
    const size_t stack_bytes = (size_t)argument(argc, argv, "--stack", 64 * 1024);
    const double resident = memory_bytes("VmRSS");
    const double page_tables = memory_bytes("VmPTE");
    const double start = cpu_ns();
    char* memory = mmap(NULL, stacks * stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(memory != MAP_FAILED, "there is no such memory");
    madvise(memory, stacks * stack_bytes, MADV_NOHUGEPAGE);
    size_t guards = 0;
    for (size_t i = 0; i < stacks; ++i) {
        char* stack = memory + i * stack_bytes;
        guards += madvise(stack, 4096, MADV_GUARD_INSTALL) == 0;
        stack[stack_bytes - 64] = 1;
    }
    const double spent = cpu_ns() - start;
    report_value((memory_bytes("VmRSS") - resident) / (double)stacks, "bytes");
    report_number("page_table_bytes", (memory_bytes("VmPTE") - page_tables) / (double)stacks);
    report_number("spawn_us", spent / (double)stacks / 1e3);
    report_checked("%zu stacks, %zu of them guarded", stacks, guards);
    _exit(0);
}
