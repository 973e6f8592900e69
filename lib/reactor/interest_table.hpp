// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "reactor/io_interest.hpp"

#include <coir/wait_queue.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace coir::detail {

struct io_operation;

// What a reactor knows of one descriptor number. A cache line, so that a warm request touches one.
struct alignas(64) interest_entry {
    interest_entry() noexcept {
        for (wait_link& head : waiters) {
            head = {&head, &head};
        }
    }
    interest_entry(const interest_entry&) = delete;
    interest_entry& operator=(const interest_entry&) = delete;

    wait_link& waiters_for(direction d) noexcept { return waiters[static_cast<std::size_t>(d)]; }
    io_operation*& operation_for(direction d) noexcept {
        return operations[static_cast<std::size_t>(d)];
    }
    bool& ready_for(direction d) noexcept { return ready[static_cast<std::size_t>(d)]; }
    void drained(direction d) noexcept {
        if (!final[static_cast<std::size_t>(d)]) {
            ready_for(d) = false;
        }
    }
    bool anyone_waits_for(direction d) noexcept { return waiters_for(d).next != &waiters_for(d); }
    direction_set wanted() noexcept {
        return {anyone_waits_for(direction::read), anyone_waits_for(direction::write)};
    }

    std::array<wait_link, 2> waiters;  // by direction
    // By direction: what the backend does for a fiber, one at a time. Two would get what comes in
    // the kernel's order, in which the first may wait for ever.
    std::array<io_operation*, 2> operations{};
    std::uint32_t generation = 1;           // counts the lives of the number that were seen here
    std::uint32_t life = 0;                 // see descriptor_record: which one this is about
    std::array<bool, 2> ready{true, true};  // by direction: the next call may do something
    std::array<bool, 2> final{};            // by direction: `ready` will not become false any more
    bool standing = false;                  // the poller has standing interest
    std::uint8_t events_for_nobody = 0;     // standing ones, since somebody waited last
    direction_set one_shot;                 // the poller's one-shot interest
};

// The entries, by descriptor number. They never move, so that waiters can stand in them.
class interest_table {
public:
    // Null if there is none yet.
    interest_entry* find(int descriptor) const noexcept {
        const auto number = static_cast<std::size_t>(descriptor);
        if (descriptor < 0 || number / chunk_size >= chunks_.size() ||
            chunks_[number / chunk_size] == nullptr) {
            return nullptr;
        }
        return &(*chunks_[number / chunk_size])[number % chunk_size];
    }

    // Throws std::bad_alloc.
    interest_entry& at(int descriptor) {
        if (interest_entry* const known = find(descriptor)) {
            return *known;
        }
        const auto number = static_cast<std::size_t>(descriptor);
        if (number / chunk_size >= chunks_.size()) {
            chunks_.resize(number / chunk_size + 1);
        }
        chunks_[number / chunk_size] = std::make_unique<chunk>();
        return *find(descriptor);
    }

    template <class F>
    void for_each(F&& visit) {
        for (std::size_t i = 0; i < chunks_.size(); ++i) {
            for (std::size_t j = 0; chunks_[i] != nullptr && j < chunk_size; ++j) {
                visit(static_cast<int>(i * chunk_size + j), (*chunks_[i])[j]);
            }
        }
    }

private:
    // The kernel hands the lowest free number out, so chunks fill from the first.
    static constexpr std::size_t chunk_size = 256;
    using chunk = std::array<interest_entry, chunk_size>;

    std::vector<std::unique_ptr<chunk>> chunks_;
};

}  // namespace coir::detail
