// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstring>

namespace coir::hook::detail {

// Where in an object of libc's an attribute is noted that libc does not tell again, such as the
// clock of a condition variable: in the bits in which two objects differ that were initialised
// with it and without. So it need not be known how this version of libc lays the object out.
//
// Such an object must never have been used; then what is not an attribute is the same in all.
template <class Object>
class attribute_bit {
public:
    attribute_bit(const Object& with, const Object& without) noexcept {
        const bytes a = bytes_of(with);
        const bytes b = bytes_of(without);
        for (std::size_t i = 0; i < a.size(); ++i) {
            if (a[i] != b[i]) {
                place_ = i;
                bits_ = static_cast<unsigned char>(a[i] & ~b[i]);
                return;
            }
        }
    }

    // Of an object in use, too: the bits do not change. False if it was not to be found out.
    bool is_set(const Object& object) const noexcept {
        return (__atomic_load_n(reinterpret_cast<const unsigned char*>(&object) + place_,
                                __ATOMIC_RELAXED) &
                bits_) != 0;
    }

private:
    using bytes = std::array<unsigned char, sizeof(Object)>;

    static bytes bytes_of(const Object& object) noexcept {
        bytes result;
        std::memcpy(result.data(), &object, sizeof object);
        return result;
    }

    std::size_t place_ = 0;
    unsigned char bits_ = 0;
};

}  // namespace coir::hook::detail
