// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <cstddef>
#include <utility>

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
//
// A stream of values needs none of this, for as long as it stays inside of its chunks: it moves
// read_ and written_ on, up to two limits. They are set by the library (see open()), and are never
// too far: when they were set there were values up to the one, and room up to the other, and since
// then there can only have come more. What has passed on that way is counted later.
class channel_buffer {
public:
    // Throws std::length_error, std::bad_alloc.
    channel_buffer(std::size_t capacity, std::size_t value_bytes);
    channel_buffer(const channel_buffer&) = delete;
    channel_buffer& operator=(const channel_buffer&) = delete;
    ~channel_buffer();  // the values are gone already

    // Whether a value can be pushed, or popped, by no more than a step of the given size, which is
    // a slot's, to where the slot was.
    bool can_push_in_a_row() const noexcept { return written_ != push_limit_; }
    void* push_in_a_row(std::size_t step) noexcept {
        return std::exchange(written_, written_ + step);
    }
    bool can_pop_in_a_row() const noexcept { return read_ != pop_limit_; }
    void* pop_in_a_row(std::size_t step) noexcept { return std::exchange(read_, read_ + step); }

    // Lets values pass like that, as far as they can; and no longer.
    void open(bool for_pushes, bool for_pops) noexcept;
    void close() noexcept {
        push_limit_ = written_;
        pop_limit_ = read_;
    }

    // The rest is for the library, which first counts what has passed in a row.
    void count() noexcept {
        if (written_ != counted_to_) {
            size_ += static_cast<std::size_t>(written_ - counted_to_) / slot_bytes_;
            counted_to_ = written_;
        }
        if (read_ != counted_from_) {
            size_ -= static_cast<std::size_t>(read_ - counted_from_) / slot_bytes_;
            counted_from_ = read_;
        }
    }
    std::size_t size() const noexcept { return size_; }
    bool has_room() const noexcept { return size_ < capacity_; }

    // Whether the next push() needs a chunk from outside. Only if unbounded.
    bool needs_chunk() const noexcept { return written_ == end_of_last_ && spare_ == nullptr; }
    channel_chunk* make_chunk() const;
    static void free_chunk(channel_chunk* chunk) noexcept;
    void add_chunk(channel_chunk* chunk) noexcept;

    // A slot for one more value, which the caller then makes. Pre: has_room(), !needs_chunk().
    void* push() noexcept {
        if (written_ == end_of_last_) {
            take_spare_as_last();
        }
        ++size_;
        char* const slot = written_;
        counted_to_ = written_ = slot + slot_bytes_;
        return slot;
    }

    // The oldest value. Pre: there is one.
    void* front() const noexcept { return read_; }

    // Takes the oldest value out, which the caller has destroyed. Gives a chunk to be freed, or
    // null.
    channel_chunk* pop() noexcept {
        --size_;
        counted_from_ = read_ += slot_bytes_;
        return read_ != end_of_first_ ? nullptr : retire_first();
    }

private:
    static constexpr std::size_t header_bytes = alignof(std::max_align_t);
    static_assert(sizeof(channel_chunk) <= header_bytes);

    static char* slots_of(channel_chunk* chunk) noexcept {
        return reinterpret_cast<char*>(chunk) + header_bytes;
    }
    char* end_of(channel_chunk* chunk) const noexcept {
        return slots_of(chunk) + values_in_chunk_ * slot_bytes_;
    }
    void begin_to_read(channel_chunk* chunk) noexcept;
    void take_spare_as_last() noexcept;
    channel_chunk* retire_first() noexcept;

    char* written_ = nullptr;     // the slot in last_ that is written next; null: there is none
    char* push_limit_ = nullptr;  // not before written_
    char* read_ = nullptr;        // the slot in first_ that is read next; null: there is none
    char* pop_limit_ = nullptr;   // not before read_, and before the end

    std::size_t size_ = 0;          // when values were counted
    char* counted_to_ = nullptr;    // written_ then
    char* counted_from_ = nullptr;  // read_ then
    char* end_of_last_ = nullptr;   // null: there is none
    char* end_of_first_ = nullptr;  // likewise
    channel_chunk* first_ = nullptr;
    channel_chunk* last_ = nullptr;
    channel_chunk* spare_ = nullptr;
    const std::size_t capacity_;
    const std::size_t slot_bytes_;
    const std::size_t values_in_chunk_;
    const bool bounded_;
};

}  // namespace coir::detail
