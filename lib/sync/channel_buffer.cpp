// SPDX-License-Identifier: BSL-1.0
#include "sync/channel_buffer.hpp"

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
      bounded_(capacity != channel_core::no_limit),
      written_(values_in_chunk_) {
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

void channel_buffer::take_spare_as_last() noexcept {
    COIR_ASSERT(spare_ != nullptr, "a channel's buffer is short of a chunk");
    channel_chunk* const chunk = std::exchange(spare_, spare_->next);
    chunk->next = nullptr;
    if (last_ == nullptr) {
        first_ = chunk;
        read_ = 0;
    } else {
        last_->next = chunk;
    }
    last_ = chunk;
    written_ = 0;
}

// The oldest chunk has been read to its end.
channel_chunk* channel_buffer::retire_first() noexcept {
    channel_chunk* const emptied = std::exchange(first_, first_->next);
    read_ = 0;
    if (first_ == nullptr) {
        last_ = nullptr;  // and written_ says that it is full
    }
    if (!bounded_ && spare_ != nullptr) {
        return emptied;
    }
    add_chunk(emptied);
    return nullptr;
}

}  // namespace coir::detail
