// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <new>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace coir {
struct fiber_options;
}

namespace coir::detail {

class fiber_control;
class group_state;

enum class handle_kind : std::uint8_t {
    joinable,  // a coir::fiber holds the control block too
    detached,  // nobody does; the body takes care of its own result
};

// What the library must know of a callable that a fiber owns.
struct callable_type {
    void (*invoke)(void* callable);
    void (*destroy)(void* callable) noexcept;
    // Tells a callable that it will not be called, and why; null if it does not care.
    void (*fail)(void* callable, const std::exception_ptr& why) noexcept;
    const std::type_info* type;  // of the user's callable, for reports
};

// An unstarted fiber whose callable has not been made yet. The group, if any, is the fiber's parent
// scope; else that is the scheduler's. Throws where spawning is impossible.
struct fiber_blueprint {
    fiber_control* control;
    void* storage;  // room for the callable
};
COIR_API fiber_blueprint allocate_fiber(fiber_options&& options, handle_kind kind,
                                        group_state* group, std::size_t callable_bytes);
COIR_API void start_fiber(fiber_control& control, const callable_type& type) noexcept;
COIR_API void abandon_fiber(fiber_control& control) noexcept;  // the callable's constructor threw

// callable_type::fail of a bound_call: of a function object that has could_not_start(), that.
template <class Call, class F, class = void>
struct fail_function_of {
    static constexpr decltype(callable_type::fail) value = nullptr;
};
template <class Call, class F>
struct fail_function_of<
    Call, F, std::void_t<decltype(std::declval<F&>().could_not_start(std::exception_ptr()))>> {
    static constexpr decltype(callable_type::fail) value =
        [](void* self, const std::exception_ptr& why) noexcept {
            static_cast<Call*>(self)->function().could_not_start(why);
        };
};

// A callable with its arguments, decayed and called once, as std::thread does. `Reported` is the
// type that reports name: the user's function, not what coir wraps around it.
template <class Reported, class F, class... Args>
class bound_call {
public:
    template <class G, class... A>
    explicit bound_call(G&& fn, A&&... args)
        : fn_(std::forward<G>(fn)), args_(std::forward<A>(args)...) {}

    static constexpr callable_type type{
        [](void* self) {
            auto& call = *static_cast<bound_call*>(self);
            std::apply(
                [&call](Args&... args) { std::invoke(std::move(call.fn_), std::move(args)...); },
                call.args_);
        },
        [](void* self) noexcept { static_cast<bound_call*>(self)->~bound_call(); },
        fail_function_of<bound_call, F>::value, &typeid(Reported)};

    F& function() noexcept { return fn_; }

private:
    F fn_;
    std::tuple<Args...> args_;
};

template <class Reported, class F, class... Args>
fiber_control* spawn_as(fiber_options&& options, handle_kind kind, group_state* group, F&& fn,
                        Args&&... args) {
    using call = bound_call<Reported, std::decay_t<F>, std::decay_t<Args>...>;
    static_assert(alignof(call) <= alignof(std::max_align_t),
                  "coir: over-aligned callables and arguments are not supported");
    const fiber_blueprint made = allocate_fiber(std::move(options), kind, group, sizeof(call));
    try {
        ::new (made.storage) call(std::forward<F>(fn), std::forward<Args>(args)...);
    } catch (...) {
        abandon_fiber(*made.control);
        throw;
    }
    start_fiber(*made.control, call::type);
    return made.control;
}

template <class F, class... Args>
fiber_control* spawn(fiber_options&& options, handle_kind kind, F&& fn, Args&&... args) {
    return spawn_as<std::decay_t<F>>(std::move(options), kind, nullptr, std::forward<F>(fn),
                                     std::forward<Args>(args)...);
}

}  // namespace coir::detail
