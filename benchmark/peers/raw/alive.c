// SPDX-License-Identifier: BSL-1.0
// What no library can do without when it makes so many stacks for the first time: the page fault of
// the one page that each stack uses, at the distance that stacks have. Nothing runs on them.
#include "measure.h"

#include <sys/mman.h>

int main(int argc, char** argv) {
    const size_t stacks = (size_t)argument(argc, argv, "--fibers", 100000);
    const size_t stack_bytes = (size_t)argument(argc, argv, "--stack", 64 * 1024);
    const double start = cpu_ns();
    char* memory = mmap(NULL, stacks * stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(memory != MAP_FAILED, "there is no such memory");
    madvise(memory, stacks * stack_bytes, MADV_NOHUGEPAGE);
    for (size_t i = 1; i <= stacks; ++i) {
        memory[i * stack_bytes - 64] = 1;
    }
    const double spent = cpu_ns() - start;
    size_t touched = 0;
    for (size_t i = 1; i <= stacks; ++i) {
        touched += (size_t)memory[i * stack_bytes - 64];
    }
    require(touched == stacks, "a page was lost");
    report_each_ns(spent, stacks);
    report_checked("%zu pages, %zu bytes apart", touched, stack_bytes);
}
