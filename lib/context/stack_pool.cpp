// SPDX-License-Identifier: BSL-1.0
#include "context/stack_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include "base/assert.hpp"
#include "context/page_size.hpp"

namespace coir::detail {
namespace {

// A small program maps 16 stacks; a million stacks need about a thousand slabs.
constexpr std::size_t first_slab_slots = 16;
constexpr std::size_t largest_slab_slots = 1024;
constexpr std::size_t largest_slab_bytes = stack_pool::maximum_size;

constexpr const char* stack_size_knob = "fiber_options::stack_size (or run_options::stack_size)";

[[noreturn]] void throw_bad_size(std::size_t size_bytes) {
    throw std::invalid_argument(
        "coir: a stack size of " + std::to_string(size_bytes) + " bytes is outside the limits of " +
        std::to_string(stack_pool::minimum_size) + " to " +
        std::to_string(stack_pool::maximum_size) + " bytes; set " + stack_size_knob);
}

[[noreturn]] void throw_refused(int error, const char* what, std::size_t size_bytes,
                                const stack_pool& pool) {
    throw std::system_error(
        error, std::generic_category(),
        std::string("coir: ") + what + " of " + std::to_string(size_bytes) + " bytes, with " +
            std::to_string(pool.live()) + " stacks in use on this thread and " +
            std::to_string(pool.mapped_bytes()) +
            " bytes mapped for stacks (limits: sysctl vm.max_map_count, ulimit -v, " +
            stack_size_knob + ")");
}

}  // namespace

stack_pool::stack_pool(const options& o) : guard_(o.guard) { classes_.emplace_back(default_size); }

stack_pool::~stack_pool() { COIR_ASSERT(live_ == 0, "a stack pool dies while stacks are in use"); }

stack stack_pool::acquire(std::size_t size_bytes) {
    size_class& c = class_of(size_bytes);
    if (c.free.empty()) {
        const stack s = carve(c);
        ++live_;
        return s;
    }
    const stack s = c.free.back();
    c.free.pop_back();
    ++live_;
    c.low_water = std::min(c.low_water, c.free.size());
    if (c.given_back > c.free.size()) {
        c.given_back = c.free.size();
        s.slab->count_reused();
    }
    return s;
}

void stack_pool::release(const stack& s) noexcept {
    COIR_ASSERT(s && live_ > 0, "a stack is released that was not acquired");
    size_class& c = classes_[s.slab->class_index()];
    COIR_ASSERT(c.free.size() < c.free.capacity(), "more stacks are released than were carved");
    c.free.push_back(s);
    --live_;
}

void stack_pool::age() noexcept {
    for (size_class& c : classes_) {
        const std::size_t unneeded = c.low_water - c.given_back;
        const std::size_t end = c.given_back + std::min((unneeded + 1) / 2, age_limit);
        bool slab_holds_nothing = false;
        for (; c.given_back < end; ++c.given_back) {
            const stack& s = c.free[c.given_back];
            discard_contents(s);
            s.slab->count_given_back();
            slab_holds_nothing |= s.slab->holds_nothing();
        }
        if (slab_holds_nothing)
            unmap_empty_slabs(c);
        c.low_water = c.free.size();
    }
}

std::size_t stack_pool::free() const noexcept {
    std::size_t count = 0;
    for (const size_class& c : classes_)
        count += c.free.size();
    return count;
}

std::size_t stack_pool::mapped_bytes() const noexcept {
    std::size_t bytes = 0;
    for (const size_class& c : classes_)
        bytes += c.slots * c.slot_size;
    return bytes;
}

stack_pool::size_class& stack_pool::class_of(std::size_t size_bytes) {
    if (size_bytes < minimum_size || size_bytes > maximum_size)
        throw_bad_size(size_bytes);
    if (size_bytes == last_size_) {
        return classes_[class_of_last_size_];
    }
    const std::size_t slot_size = std::max(round_up(size_bytes, page_size()), 4 * page_size());
    auto found = std::find_if(classes_.begin(), classes_.end(),
                              [=](const size_class& c) { return c.slot_size == slot_size; });
    if (found == classes_.end()) {
        found = classes_.emplace(classes_.end(), slot_size);
    }
    last_size_ = size_bytes;
    class_of_last_size_ = static_cast<std::size_t>(found - classes_.begin());
    return *found;
}

stack stack_pool::carve(size_class& c) {
    if (c.slabs.empty() || c.slabs.back()->exhausted())
        map_slab(c);
    const stack s = c.slabs.back()->carve(guard_);
    if (!s)
        throw_refused(errno, "cannot install the guard page of a stack", c.slot_size, *this);
    return s;
}

// Doubles what there is. Where so much address space is not to be had, less will do, down to a
// single stack.
void stack_pool::map_slab(size_class& c) {
    std::size_t slots = std::clamp(c.slots, first_slab_slots, largest_slab_slots);
    slots = std::max<std::size_t>(std::min(slots, largest_slab_bytes / c.slot_size), 1);

    // All that may throw comes before the mapping, so that nothing can leak. Nothing is free now,
    // so nothing is copied.
    c.free.reserve(c.slots + slots);
    c.slabs.reserve(c.slabs.size() + 1);
    auto slab =
        std::make_unique<stack_slab>(c.slot_size, static_cast<std::size_t>(&c - classes_.data()));
    int error;
    while ((error = slab->map(slots)) != 0 && slots > 1)
        slots /= 2;
    if (error != 0)
        throw_refused(error, "cannot map a stack", c.slot_size, *this);

    c.slots += slots;
    c.slabs.push_back(std::move(slab));
}

// The first slab of a size stays, so that a lone fiber now and then does not map and unmap each
// time.
void stack_pool::unmap_empty_slabs(size_class& c) noexcept {
    const auto goes = [&c](const stack_slab& slab) {
        return slab.holds_nothing() && &slab != c.slabs.front().get();
    };
    // What belongs to such a slab is all in the part that was given back.
    const auto end = c.free.begin() + static_cast<std::ptrdiff_t>(c.given_back);
    const auto kept =
        std::remove_if(c.free.begin(), end, [&](const stack& s) { return goes(*s.slab); });
    c.given_back = static_cast<std::size_t>(kept - c.free.begin());
    c.free.erase(kept, end);
    const auto gone = std::remove_if(c.slabs.begin(), c.slabs.end(), [&](const auto& slab) {
        if (!goes(*slab))
            return false;
        c.slots -= slab->slots();
        return true;
    });
    c.slabs.erase(gone, c.slabs.end());
}

}  // namespace coir::detail
