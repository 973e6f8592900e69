// SPDX-License-Identifier: BSL-1.0
#include "context/block_pool.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <new>

#include "base/assert.hpp"
#include "base/system_calls.hpp"
#include "context/sanitizer/annotations.hpp"

namespace coir::detail {

// The head of a block that is not in use. All of it is poisoned under AddressSanitizer; so use the
// functions below.
struct free_block {
    free_block* next;
};

// Where other threads put blocks that they release, for the owner to collect. States of `head`:
//
//     nullptr    nothing there
//     a block    a list of blocks
//     &closed    the pool is gone; whoever releases counts down block_chunk::outstanding instead.
//     The last state
struct block_mailbox {
    static inline free_block closed{};

    std::atomic<free_block*> head{nullptr};
    // Chunks that hold this mailbox after the pool, and the pool itself. Set just before `head`
    // becomes &closed.
    std::atomic<std::size_t> users{0};
};

// The head of each chunk, which lies at a multiple of chunk_size, so that a block finds it by its
// own address.
struct block_chunk {
    block_chunk* next;
    block_mailbox* mailbox;  // also tells which pool owns the chunk: unlike a pool's, its address
                             // can't be used again while the chunk exists
    std::size_t class_index;
    std::size_t carved = 0;  // blocks ever handed out; only the owner reads and writes it
    // Blocks in use after the pool is gone. Releases may count down before the pool has added what
    // there was, so it may be negative at first. Whoever brings it to 0, once the pool has added,
    // frees the chunk.
    std::atomic<std::ptrdiff_t> outstanding{0};
};

namespace {

// A huge page of x86-64, and of aarch64 with pages of 4 KiB. What is not used of it is not touched.
constexpr std::size_t chunk_size = 2 * 1024 * 1024;
constexpr std::align_val_t chunk_alignment{chunk_size};
static_assert(sizeof(block_chunk) <= block_pool::block_alignment);

constinit thread_local block_pool* this_threads_pool = nullptr;

constexpr std::size_t class_of(std::size_t bytes) noexcept {
    return bytes <= 256 ? 0 : bytes <= 512 ? 1 : bytes <= 1024 ? 2 : 3;
}

constexpr std::size_t block_size(std::size_t class_index) noexcept {
    return std::size_t{256} << class_index;
}

std::size_t offset_in_chunk(const void* block) noexcept {
    return reinterpret_cast<std::uintptr_t>(block) % chunk_size;
}

block_chunk& chunk_of(void* block) noexcept {
    return *reinterpret_cast<block_chunk*>(static_cast<std::byte*>(block) - offset_in_chunk(block));
}

void set_next(free_block* block, free_block* next, std::size_t class_index) noexcept {
    unpoison_memory(block, sizeof(free_block));
    block->next = next;
    poison_memory(block, block_size(class_index));
}

free_block* next_of(free_block* block) noexcept {
    unpoison_memory(block, sizeof(free_block));
    free_block* const next = block->next;
    poison_memory(block, sizeof(free_block));
    return next;
}

void drop(block_mailbox* mailbox) noexcept {
    // acq_rel: all that others did with the mailbox comes before its end.
    if (mailbox->users.fetch_sub(1, std::memory_order_acq_rel) == 1)
        delete mailbox;
}

void free_chunk(block_chunk* chunk) noexcept {
    block_mailbox* const mailbox = chunk->mailbox;
    chunk->~block_chunk();
    unpoison_memory(chunk, chunk_size);
    ::operator delete(chunk, chunk_alignment);
    drop(mailbox);
}

// Timers, queues and switches go from one control block to the next in no order. With thousands of
// fibers each step would miss the processor's table of small pages as well as its caches.
void ask_for_huge_page([[maybe_unused]] void* chunk) noexcept {
#ifdef MADV_HUGEPAGE
    const int saved = errno;
    sys.madvise(chunk, chunk_size, MADV_HUGEPAGE);
    errno = saved;  // without it everything is right, if slower
#endif
}

// On a thread that does not own the chunk. The block itself keeps chunk and mailbox alive until it
// is in the list, or counted as gone; neither may be touched after that.
void release_remotely(free_block* block, block_chunk& chunk) noexcept {
    std::atomic<free_block*>& head = chunk.mailbox->head;
    // acquire, here and on failure: &closed pairs with the pool's last exchange, so that its
    // `users` is seen.
    free_block* first = head.load(std::memory_order_acquire);
    while (first != &block_mailbox::closed) {
        set_next(block, first, chunk.class_index);
        // release: what this thread did in the block, and its link, come before the owner's use,
        // which acquires them by exchange. The list is only ever taken as a whole, so an address
        // that comes back (ABA) does no harm.
        if (head.compare_exchange_weak(first, block, std::memory_order_release,
                                       std::memory_order_acquire))
            return;
    }
    // acq_rel: release our use of the chunk to whoever frees it; acquire everybody else's if that
    // is us. The count cannot be 1 before the pool has added its part, as until then it is 0 or
    // less.
    if (chunk.outstanding.fetch_sub(1, std::memory_order_acq_rel) == 1)
        free_chunk(&chunk);
}

}  // namespace

block_pool::block_pool() : mailbox_(new block_mailbox) {}

block_pool::~block_pool() {
    unbind_from_this_thread();
    std::size_t chunk_count = 0;
    for (block_chunk* chunk = chunks_; chunk != nullptr; chunk = chunk->next)
        ++chunk_count;
    mailbox_->users.store(chunk_count + 1, std::memory_order_relaxed);

    // From here on nothing is put into the mailbox. release: `users` is seen by those who find it
    // closed; acquire: what other threads did in the blocks of the list comes before their memory
    // is freed.
    free_block* const last =
        mailbox_->head.exchange(&block_mailbox::closed, std::memory_order_acq_rel);

    // What was carved and is in no list is in use.
    const auto subtract = [](free_block* list) {
        for (; list != nullptr; list = next_of(list))
            --chunk_of(list).carved;
    };
    subtract(last);
    for (const size_class& c : classes_)
        subtract(c.free);

    for (block_chunk *chunk = chunks_, *next; chunk != nullptr; chunk = next) {
        next = chunk->next;  // the chunk may be gone as soon as its count is there
        const auto in_use = static_cast<std::ptrdiff_t>(chunk->carved);
        if (chunk->outstanding.fetch_add(in_use, std::memory_order_acq_rel) + in_use == 0)
            free_chunk(chunk);
    }
    drop(mailbox_);
}

void block_pool::bind_to_this_thread() noexcept {
    COIR_ASSERT(this_threads_pool == nullptr || this_threads_pool == this,
                "a thread gets a second block pool");
    this_threads_pool = this;
}

void block_pool::unbind_from_this_thread() noexcept {
    if (this_threads_pool == this)
        this_threads_pool = nullptr;
}

void* block_pool::allocate(std::size_t bytes) {
    if (bytes > largest_block)
        return ::operator new (bytes, std::align_val_t{block_alignment});
    const std::size_t class_index = class_of(bytes);
    size_class& c = classes_[class_index];
    if (c.free == nullptr)
        drain_mailbox();
    if (c.free == nullptr)
        return allocate_fresh(class_index);
    free_block* const block = c.free;
    unpoison_memory(block, block_size(class_index));
    c.free = block->next;
    ++live_;
    return block;
}

void block_pool::release(void* block, std::size_t bytes) noexcept {
    if (bytes > largest_block) {
        ::operator delete (block, std::align_val_t{block_alignment});
        return;
    }
    block_chunk& chunk = chunk_of(block);
    COIR_ASSERT(chunk.class_index == class_of(bytes), "a block is released with another size");
    auto* const released = new (block) free_block;
    block_pool* const pool = this_threads_pool;
    if (pool != nullptr && pool->mailbox_ == chunk.mailbox) {
        pool->put(released, chunk);
    } else {
        release_remotely(released, chunk);
    }
}

std::size_t block_pool::live() noexcept {
    drain_mailbox();
    return live_;
}

void* block_pool::allocate_fresh(std::size_t class_index) {
    size_class& c = classes_[class_index];
    const std::size_t size = block_size(class_index);
    const std::size_t used =
        c.chunk == nullptr
            ? chunk_size
            : static_cast<std::size_t>(c.fresh - reinterpret_cast<std::byte*>(c.chunk));
    if (chunk_size - used < size) {
        void* const memory = ::operator new(chunk_size, chunk_alignment);
        if (c.chunk != nullptr) {  // a program of few fibers shall stay small
            ask_for_huge_page(memory);
        }
        c.chunk = new (memory) block_chunk{chunks_, mailbox_, class_index};
        c.fresh = static_cast<std::byte*>(memory) + block_alignment;
        chunks_ = c.chunk;
    }
    void* const block = c.fresh;
    c.fresh += size;
    ++c.chunk->carved;
    ++live_;
    return block;
}

void block_pool::put(free_block* block, block_chunk& chunk) noexcept {
    free_block*& first = classes_[chunk.class_index].free;
    set_next(block, first, chunk.class_index);
    first = block;
    --live_;
}

void block_pool::drain_mailbox() noexcept {
    // Reading is cheap while nothing is there, an exchange is not. A stale nullptr only means that
    // it is found later.
    if (mailbox_->head.load(std::memory_order_relaxed) == nullptr)
        return;
    // acquire: pairs with the release of each push (all of them, as a chain of read-modify-writes).
    free_block* block = mailbox_->head.exchange(nullptr, std::memory_order_acquire);
    while (block != nullptr) {
        free_block* const next = next_of(block);
        put(block, chunk_of(block));
        block = next;
    }
}

}  // namespace coir::detail
