// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>

namespace coir::detail {

// An array for the time of one call: on the stack if it is small, as it nearly always is. There is
// no exception through C frames: an array that could not be had is null.
template <class T, std::size_t few>
class call_scratch {
public:
    explicit call_scratch(std::size_t size) noexcept
        : many_(size > few ? new (std::nothrow) T[size] : nullptr),
          data_(size > few ? many_.get() : few_.data()) {}
    call_scratch(const call_scratch&) = delete;
    call_scratch& operator=(const call_scratch&) = delete;

    T* get() noexcept { return data_; }

private:
    std::array<T, few> few_;
    std::unique_ptr<T[]> many_;
    T* data_;
};

}  // namespace coir::detail
