// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/sync/detail/locked_word.hpp>
#include <coir/wait_queue.hpp>

#include <cstddef>
#include <cstdint>

namespace coir::detail {

// A barrier without its completion function.
class COIR_API phases {
public:
    struct arrival {
        std::uint64_t phase;
        bool last;  // then the caller ends the phase, when it has called the completion function
    };

    explicit phases(std::ptrdiff_t expected);

    arrival arrive(std::ptrdiff_t count);
    arrival arrive_and_drop();
    void end_phase() noexcept;
    void wait_for_end_of(std::uint64_t phase);
    static void cancellation_point();

private:
    arrival count(std::ptrdiff_t arriving, std::ptrdiff_t dropping, const char* call);

    locked_word phase_;  // twice its number; guards the rest
    wait_queue waiting_;
    std::ptrdiff_t expected_;  // in every phase to come
    std::ptrdiff_t missing_;   // in this one
};

// What comes back from an arrival: the phase that it was in. Moved only, as it is waited with once.
class arrival_token {
public:
    explicit arrival_token(std::uint64_t phase) noexcept : phase_(phase) {}
    arrival_token(arrival_token&&) noexcept = default;
    arrival_token& operator=(arrival_token&&) noexcept = default;

    std::uint64_t phase() const noexcept { return phase_; }

private:
    std::uint64_t phase_;
};

struct no_completion {
    void operator()() const noexcept {}
};

}  // namespace coir::detail
