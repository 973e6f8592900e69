// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/local_values.hpp>

#include <utility>

namespace coir::detail {

// The fiber_local values of one fiber or thread: a list, newest first. Only their owner looks at
// it.
class local_values {
public:
    local_values() = default;
    local_values(const local_values&) = delete;
    local_values& operator=(const local_values&) = delete;

    // The calling fiber's, or thread's.
    static local_values& current() noexcept;

    local_value* find(std::uint64_t key) const noexcept;
    void add(local_value& value) noexcept {
        value.older = newest_;
        newest_ = &value;
    }
    void drop(std::uint64_t key) noexcept;

    // At the owner's end, on it: destroys all, newest first. A destructor may wait, and may use
    // variables, whose values come to be the newest and have their turn.
    void destroy_all() noexcept {
        while (newest_ != nullptr) {
            local_value& value = *newest_;
            newest_ = value.older;
            value.destroy(value);
        }
    }

private:
    local_value* newest_ = nullptr;
};

// What a fiber or thread has inherited and set: an owner of the innermost value, which is one of
// that around it, and so on. Copying it is what a spawn costs.
class inherited_values {
public:
    inherited_values() = default;
    inherited_values(const inherited_values& other) noexcept : innermost_(other.innermost_) {
        if (innermost_ != nullptr) {
            // Relaxed: who copies is, or was told by, an owner.
            innermost_->owners.fetch_add(1, std::memory_order_relaxed);
        }
    }
    inherited_values& operator=(inherited_values other) noexcept {
        std::swap(innermost_, other.innermost_);
        return *this;
    }
    ~inherited_values() {
        if (innermost_ != nullptr) {
            release(innermost_);
        }
    }

    // The calling fiber's, or thread's.
    static inherited_values& current() noexcept;

    inherited_value* find(std::uint64_t key) const noexcept;
    void enter(inherited_value& value) noexcept {
        value.outer = innermost_;
        innermost_ = &value;
    }
    void leave(inherited_value& value) noexcept;

private:
    static void release(inherited_value* value) noexcept;

    inherited_value* innermost_ = nullptr;
};

}  // namespace coir::detail
