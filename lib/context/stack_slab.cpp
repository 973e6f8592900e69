// SPDX-License-Identifier: BSL-1.0
#include "context/stack_slab.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>

#include "base/assert.hpp"
#include "base/system_calls.hpp"
#include "context/page_size.hpp"

namespace coir::detail {

stack_slab::~stack_slab() {
    // Can only fail where the kernel has merged the mapping with its neighbours and has none left
    // to split it with. Then address space is lost, and nothing else can be done.
    if (base_ != nullptr)
        sys.munmap(base_, mapped_bytes());
}

int stack_slab::map(std::size_t slots) noexcept {
    COIR_ASSERT(base_ == nullptr, "a slab is mapped twice");
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
    // Or the whole of every stack would count as used, where the kernel limits what is promised.
    flags |= MAP_NORESERVE;
#endif
#ifdef MAP_STACK
    flags |= MAP_STACK;
#endif
    void* const base = sys.mmap(nullptr, slot_size_ * slots, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (base == MAP_FAILED)
        return errno;
    base_ = static_cast<char*>(base);
    slots_ = slots;
#ifdef MADV_NOHUGEPAGE
    // A huge page would make each first touch cost 2 MiB. MAP_STACK says so since Linux 6.7, this
    // does before; and where the kernel knows no huge pages, its refusal does not matter.
    sys.madvise(base_, mapped_bytes(), MADV_NOHUGEPAGE);
#endif
    return 0;
}

stack stack_slab::carve(stack_guard& guard) noexcept {
    COIR_ASSERT(!exhausted(), "a slab has no slot left");
    char* const low = base_ + carved_ * slot_size_;
    if (carved_ == guarded_) {
        // A small slab may be all that a program needs, and is guarded stack by stack.
        const std::size_t row = slots_ < smallest_slab_in_rows ? 1 : slots_ - carved_;
        const std::size_t guarded = guard.install(low, slot_size_, row);
        if (guarded == 0)
            return {};
        guarded_ += guarded;
    }
    const std::size_t colour = carved_ % colours * colour_step;
    stack s;
    s.top = low + slot_size_ - colour;
    s.slab = this;
    s.size = static_cast<std::uint32_t>(slot_size_ - page_size() - colour);
    s.index = static_cast<std::uint32_t>(carved_);
    ++carved_;
    return s;
}

void discard_contents(const stack& s) noexcept {
    // Failure (the memory is locked) leaves it as it is.
    sys.madvise(s.limit(), s.reserved_size() - page_size(), MADV_DONTNEED);
}

}  // namespace coir::detail
