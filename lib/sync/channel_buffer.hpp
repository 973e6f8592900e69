// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace coir::detail {

// Room for some values; they follow the header.
struct channel_chunk {
    channel_chunk* next;
};

// A channel's values in their order, as bytes, in a list of chunks:
//
//     first -> [ . . v v ] -> [ v v v v ] -> [ v . . . ] <- last      spare -> [ ] -> ...
//                  ^read_                        ^written_
//
// A bounded buffer has all its chunks from the start: values in a row touch one chunk more, at
// most, than they fill. An unbounded one is given chunks as it grows, made by whoever sends,
// outside of the channel's lock; and gives them back, but for one.
class channel_buffer {
public:
    // Throws std::length_error, std::bad_alloc.
    channel_buffer(std::size_t capacity, std::size_t value_bytes);
    channel_buffer(const channel_buffer&) = delete;
    channel_buffer& operator=(const channel_buffer&) = delete;
    ~channel_buffer();  // the values are gone already

    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    bool has_room() const noexcept { return size_ < capacity_; }

    // Whether the next push() needs a chunk from outside. Only if unbounded.
    bool needs_chunk() const noexcept { return written_ == values_in_chunk_ && spare_ == nullptr; }
    channel_chunk* make_chunk() const;
    static void free_chunk(channel_chunk* chunk) noexcept;
    void add_chunk(channel_chunk* chunk) noexcept;

    // A slot for one more value, which the caller then makes. Pre: has_room(), !needs_chunk().
    void* push() noexcept {
        if (written_ == values_in_chunk_) {
            take_spare_as_last();
        }
        ++size_;
        return slot(last_, written_++);
    }

    // The oldest value. Pre: there is one.
    void* front() const noexcept { return slot(first_, read_); }

    // Takes the oldest value out, which the caller has destroyed. Gives a chunk to be freed, or
    // null.
    channel_chunk* pop() noexcept {
        --size_;
        return ++read_ != values_in_chunk_ ? nullptr : retire_first();
    }

private:
    static constexpr std::size_t header_bytes = alignof(std::max_align_t);
    static_assert(sizeof(channel_chunk) <= header_bytes);

    void* slot(channel_chunk* chunk, std::size_t index) const noexcept {
        return reinterpret_cast<char*>(chunk) + header_bytes + index * slot_bytes_;
    }
    void take_spare_as_last() noexcept;
    channel_chunk* retire_first() noexcept;

    const std::size_t capacity_;
    const std::size_t slot_bytes_;
    const std::size_t values_in_chunk_;
    const bool bounded_;
    std::size_t size_ = 0;
    std::size_t read_ = 0;     // slots of first_ that have been read
    std::size_t written_ = 0;  // slots of last_ that have been written
    channel_chunk* first_ = nullptr;
    channel_chunk* last_ = nullptr;
    channel_chunk* spare_ = nullptr;
};

}  // namespace coir::detail
