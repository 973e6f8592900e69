// SPDX-License-Identifier: BSL-1.0
#include <coir/sync/detail/channel_buffer.hpp>

#include "base/assert.hpp"

#include <coir/sync/detail/channel_operation.hpp>

#include <algorithm>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace coir::detail {

namespace {

constexpr std::size_t usual_chunk_bytes = 1024;
constexpr std::size_t most_bytes = std::numeric_limits<std::ptrdiff_t>::max();

std::size_t choose_values_in_chunk(std::size_t capacity, std::size_t slot_bytes) {
    if (capacity != channel_core::no_limit && capacity > most_bytes / 4 / slot_bytes) {
        throw std::length_error("coir::channel: a capacity of " + std::to_string(capacity) +
                                " values is more than memory can hold; coir::unbounded makes a "
                                "channel that grows");
    }
    return std::clamp(usual_chunk_bytes / slot_bytes, std::size_t{1},
                      std::max(capacity, std::size_t{1}));
}

}  // namespace

channel_buffer::channel_buffer(std::size_t capacity, std::size_t value_bytes)
    : capacity_(capacity),
      slot_bytes_(value_bytes),  // a multiple of the value's alignment
      values_in_chunk_(choose_values_in_chunk(capacity, slot_bytes_)),
      bounded_(capacity != channel_core::no_limit) {
    if (!bounded_ || capacity == 0) {
        return;
    }
    const std::size_t chunks = (capacity + values_in_chunk_ - 1) / values_in_chunk_ + 1;
    try {
        for (std::size_t i = 0; i < chunks; ++i) {
            add_chunk(make_chunk());
        }
    } catch (...) {
        this->~channel_buffer();
        throw;
    }
}

channel_buffer::~channel_buffer() {
    COIR_ASSERT(size_ == 0, "a channel's buffer dies with values in it");
    for (channel_chunk* list : {std::exchange(first_, nullptr), std::exchange(spare_, nullptr)}) {
        while (list != nullptr) {
            free_chunk(std::exchange(list, list->next));
        }
    }
}

channel_chunk* channel_buffer::make_chunk() const {
    return ::new (::operator new(header_bytes + values_in_chunk_ * slot_bytes_))
        channel_chunk{nullptr};
}

void channel_buffer::free_chunk(channel_chunk* chunk) noexcept { ::operator delete(chunk); }

void channel_buffer::add_chunk(channel_chunk* chunk) noexcept {
    chunk->next = spare_;
    spare_ = chunk;
}

// Who pops the last value of a chunk has to retire it.
void channel_buffer::open(bool for_pushes, bool for_pops) noexcept {
    close();
    if (for_pushes && last_ != nullptr) {
        const std::size_t room = capacity_ - size_;
        push_limit_ = end_of_last_;
        if (room < values_in_chunk_) {
            push_limit_ = std::min(push_limit_, written_ + room * slot_bytes_);
        }
    }
    if (for_pops && first_ != nullptr) {
        pop_limit_ = end_of_first_ - slot_bytes_;
        if (first_ == last_) {
            pop_limit_ = std::min(pop_limit_, written_);
        }
    }
}

void channel_buffer::begin_to_read(channel_chunk* chunk) noexcept {
    first_ = chunk;
    counted_from_ = read_ = slots_of(chunk);
    end_of_first_ = end_of(chunk);
}

void channel_buffer::take_spare_as_last() noexcept {
    COIR_ASSERT(spare_ != nullptr, "a channel's buffer is short of a chunk");
    channel_chunk* const chunk = std::exchange(spare_, spare_->next);
    chunk->next = nullptr;
    if (last_ == nullptr) {
        begin_to_read(chunk);
    } else {
        last_->next = chunk;
    }
    last_ = chunk;
    counted_to_ = written_ = slots_of(chunk);
    end_of_last_ = end_of(chunk);
}

// The oldest chunk has been read to its end.
channel_chunk* channel_buffer::retire_first() noexcept {
    channel_chunk* const emptied = first_;
    if (emptied->next != nullptr) {
        begin_to_read(emptied->next);
    } else {
        // It has been written to its end, too; the next push() takes another.
        first_ = last_ = nullptr;
        counted_to_ = written_ = end_of_last_ = nullptr;
        counted_from_ = read_ = end_of_first_ = nullptr;
    }
    if (!bounded_ && spare_ != nullptr) {
        return emptied;
    }
    add_chunk(emptied);
    return nullptr;
}

}  // namespace coir::detail
