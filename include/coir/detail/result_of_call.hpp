// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace coir::detail {

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
