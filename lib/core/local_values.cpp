// SPDX-License-Identifier: BSL-1.0
#include "core/local_values.hpp"

#include "base/assert.hpp"
#include "core/scheduler.hpp"
#include "core/thread_parker.hpp"

namespace coir::detail {

namespace {

// A plain thread's. Its values' destructors may wait, for which the thread needs its parker: that
// is made first, so that it goes last.
struct thread_values {
    thread_values() { static_cast<void>(thread_parker::of_this_thread()); }
    ~thread_values() { locals.destroy_all(); }
    local_values locals;
};

thread_values& values_of_this_thread() {
    static thread_local thread_values values;
    return values;
}

// By itself, since it is asked for at each spawn and run(): a thread that has set nothing must not
// pay for the above.
inherited_values& inherited_of_this_thread() noexcept {
    static thread_local inherited_values values;
    return values;
}

}  // namespace

local_values& local_values::current() noexcept {
    fiber_control* const fiber = scheduler::calling_fiber();
    return fiber != nullptr ? fiber->locals : values_of_this_thread().locals;
}

local_value* local_values::find(std::uint64_t key) const noexcept {
    local_value* value = newest_;
    while (value != nullptr && value->key != key) {
        value = value->older;
    }
    return value;
}

void local_values::drop(std::uint64_t key) noexcept {
    for (local_value** link = &newest_; *link != nullptr; link = &(*link)->older) {
        local_value& value = **link;
        if (value.key == key) {
            *link = value.older;
            value.destroy(value);
            return;
        }
    }
}

inherited_values& inherited_values::current() noexcept {
    fiber_control* const fiber = scheduler::calling_fiber();
    return fiber != nullptr ? fiber->inherited : inherited_of_this_thread();
}

inherited_value* inherited_values::find(std::uint64_t key) const noexcept {
    inherited_value* value = innermost_;
    while (value != nullptr && value->key != key) {
        value = value->outer;
    }
    return value;
}

void inherited_values::leave(inherited_value& value) noexcept {
    COIR_ASSERT(innermost_ == &value,
                "scopes of inherited values are left in another order, or by another fiber, than "
                "they were entered");
    // The one around it goes on having an owner here: ours of it, or a new one if the value stays
    // for others, which keeps its own.
    inherited_value* const outer = value.outer;
    if (outer != nullptr) {
        outer->owners.fetch_add(1, std::memory_order_relaxed);
    }
    innermost_ = outer;
    release(&value);
}

// A loop and not a recursion: scopes nest as deep as programs do.
void inherited_values::release(inherited_value* value) noexcept {
    // acq_rel: what each owner did with the value comes before its end.
    while (value != nullptr && value->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        inherited_value* const outer = value->outer;
        value->destroy(*value);
        value = outer;
    }
}

std::uint64_t new_variable_key() noexcept {
    static std::atomic<std::uint64_t> next{1};
    return next.fetch_add(1, std::memory_order_relaxed);
}

local_value* find_local_value(std::uint64_t key) noexcept {
    return local_values::current().find(key);
}
void add_local_value(local_value& value) noexcept { local_values::current().add(value); }
void drop_local_value(std::uint64_t key) noexcept { local_values::current().drop(key); }

inherited_value* find_inherited_value(std::uint64_t key) noexcept {
    return inherited_values::current().find(key);
}
void enter_inherited_value(inherited_value& value) noexcept {
    inherited_values::current().enter(value);
}
void leave_inherited_value(inherited_value& value) noexcept {
    inherited_values::current().leave(value);
}

}  // namespace coir::detail
