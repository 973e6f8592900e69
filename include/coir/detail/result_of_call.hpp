// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace coir::detail {

// What stands in for "a T, or nothing": there is no optional of a reference.
template <class T>
struct optional_result {
    using type = std::optional<T>;
};
template <class T>
struct optional_result<T&> {
    using type = std::optional<std::reference_wrapper<T>>;
};
template <>
struct optional_result<void> {
    using type = bool;
};

// Keeps what a call returned until it is asked for, with void and references like any other type,
// so that a body can be run behind a type-erased function and its result handed out after.
template <class T>
class result_of_call {
public:
    template <class F>
    void assign(F& fn) {
        value_.emplace(fn());
    }
    T take() { return std::move(*value_); }
    std::optional<T> take_optional() { return std::move(value_); }

private:
    std::optional<T> value_;
};

template <class T>
class result_of_call<T&> {
public:
    template <class F>
    void assign(F& fn) {
        value_ = std::addressof(fn());
    }
    T& take() { return *value_; }
    std::optional<std::reference_wrapper<T>> take_optional() { return std::ref(*value_); }

private:
    T* value_ = nullptr;
};

template <>
class result_of_call<void> {
public:
    template <class F>
    void assign(F& fn) {
        fn();
    }
    void take() {}
};

}  // namespace coir::detail
