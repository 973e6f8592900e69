// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/local_values.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief A variable of which each fiber has its own value: `thread_local` for fibers. On a plain
/// thread it is per thread.
///
/// A value is made when a fiber first uses it, and destroyed on that fiber when it ends, after the
/// callable that it ran, newest first. Meant for a handful of variables, made once as statics: a
/// use walks the list of the fiber's values. What children are to see as well is an inherited.
///
/// @suspends Nothing by itself; the value's constructor and destructor may wait, on their fiber. In
/// a fiber that was cancelled a destructor's waits throw, unless in a shield().
/// @threadsafety Any fiber or thread may use the variable at any time: each reaches its own value.
/// @errors What the value's constructor throws; then the next use tries again. std::bad_alloc.
/// @lifetime Values live until their fiber or thread ends, even if the variable has gone. The main
/// fiber's end before those of fibers that it left running; it has no part in its thread's.
/// @example `test/unit/core/fiber_local.cpp`
template <class T>
class fiber_local {
public:
    /// A variable whose values begin as `T()`.
    template <class U = T, class = std::enable_if_t<std::is_default_constructible_v<U>>>
    fiber_local() : make_([] { return T(); }) {}

    /// A variable whose values are what `make` returns, called on the fiber that needs one.
    explicit fiber_local(std::function<T()> make) : make_(std::move(make)) {}

    fiber_local(const fiber_local&) = delete;
    fiber_local& operator=(const fiber_local&) = delete;
    ~fiber_local() = default;

    /// @returns this fiber's value; makes it first if need be.
    T& get() const {
        if (T* const known = find()) {
            return *known;
        }
        auto made = std::make_unique<node>(key_, make_);
        detail::add_local_value(*made);
        return made.release()->value;
    }

    /// @returns this fiber's value, or null if it has none yet.
    T* find() const noexcept {
        detail::local_value* const found = detail::find_local_value(key_);
        return found != nullptr ? &static_cast<node*>(found)->value : nullptr;
    }

    /// Destroys this fiber's value, if it has one; the next use makes another.
    void reset() const noexcept { detail::drop_local_value(key_); }

    /// As get().
    T& operator*() const { return get(); }
    /// As get().
    T* operator->() const { return std::addressof(get()); }

private:
    struct node : detail::local_value {
        node(std::uint64_t variable, const std::function<T()>& make)
            : local_value{variable,
                          [](local_value& self) noexcept {
                              delete static_cast<node*>(&self);
                          }},
              value(make()) {}
        T value;
    };

    const std::uint64_t key_ = detail::new_variable_key();
    const std::function<T()> make_;
};

/// @brief A value that children see: a request's id, a logger, a user. Python's `contextvars`.
///
/// A fiber has the values that whoever spawned it had at that moment; setting one is seen by the
/// fiber that sets it, and by those that it spawns from then on, until the scope ends. A spawn just
/// counts a reference and allocates nothing. run() and run_blocking() hand them on, too.
///
/// @suspends Nothing waits.
/// @threadsafety Any fiber or thread may read. Values are shared between those that inherit them,
/// perhaps on several threads: they are `const`, and using them so must be thread-safe.
/// @errors std::bad_alloc where a value is set.
/// @lifetime A value lives as long as a fiber that has inherited it, and is destroyed by the last
/// of them, on whatever thread: its destructor must not wait.
/// @example `test/unit/core/inherited.cpp`
template <class T>
class inherited {
    struct node : detail::inherited_value {
        node(std::uint64_t variable, T&& v)
            : inherited_value{variable,
                              [](inherited_value& self) noexcept {
                                  delete static_cast<node*>(&self);
                              }},
              value(std::move(v)) {}
        const T value;
    };

public:
    /// A variable that is `T()` where nobody has set it.
    inherited() : inherited(T()) {}
    /// A variable that is `initial` where nobody has set it.
    explicit inherited(T initial) : initial_(std::move(initial)) {}
    inherited(const inherited&) = delete;
    inherited& operator=(const inherited&) = delete;
    ~inherited() = default;

    /// @returns the value that this fiber has set or inherited. The reference is good until the
    /// scope is left in which this fiber has set it, or else until the fiber ends.
    const T& get() const noexcept {
        detail::inherited_value* const found = detail::find_inherited_value(key_);
        return found != nullptr ? static_cast<node*>(found)->value : initial_;
    }
    /// As get().
    const T& operator*() const noexcept { return get(); }
    /// As get().
    const T* operator->() const noexcept { return std::addressof(get()); }

    /// @brief Sets a value for as long as it lives: `coir::inherited<int>::scope s(id, 7);`
    ///
    /// Scopes of one fiber end in reverse order, on the fiber that made them (asserted).
    class [[nodiscard]] scope {
    public:
        /// Sets `variable` to `value`.
        scope(const inherited& variable, T value)
            : node_(new node(variable.key_, std::move(value))) {
            detail::enter_inherited_value(*node_);
        }
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;
        /// What was the value before is it again.
        ~scope() { detail::leave_inherited_value(*node_); }

    private:
        node* const node_;
    };

    /// Calls `fn` with the variable set to `value`. @returns what `fn` returns.
    template <class F>
    auto with(T value, F&& fn) const -> decltype(fn()) {
        const scope set(*this, std::move(value));
        return fn();
    }

private:
    const std::uint64_t key_ = detail::new_variable_key();
    const T initial_;
};

}  // namespace coir
