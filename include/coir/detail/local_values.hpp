// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <atomic>
#include <cstdint>

namespace coir::detail {

// Names a variable in the lists of values. Never used twice, so that a variable's end leaves values
// behind that nobody can mistake for another's.
COIR_API std::uint64_t new_variable_key() noexcept;

// A fiber's value of a fiber_local; the value itself comes behind it, in a derived class. All calls
// are about the calling fiber, or the calling thread where there is none.
struct local_value {
    const std::uint64_t key;
    void (*const destroy)(local_value& self) noexcept;
    local_value* older = nullptr;
};
COIR_API local_value* find_local_value(std::uint64_t key) noexcept;  // null: it has none
COIR_API void add_local_value(local_value& value) noexcept;          // which is its owner then
COIR_API void drop_local_value(std::uint64_t key) noexcept;

// A value of an inherited<T>, in an immutable list that is shared by all who have inherited it.
struct inherited_value {
    const std::uint64_t key;
    void (*const destroy)(inherited_value& self) noexcept;
    inherited_value* outer = nullptr;  // an owner of that one
    std::atomic<std::uint32_t> owners{1};
};
COIR_API inherited_value* find_inherited_value(std::uint64_t key) noexcept;  // null: none was set
COIR_API void enter_inherited_value(inherited_value& value) noexcept;        // takes the one owner
COIR_API void leave_inherited_value(inherited_value& value) noexcept;

}  // namespace coir::detail
