// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::detail {

template <class S>
struct signature {
    using type = S;
};

// What a function object is called by, from a pointer to its one operator(): never defined, for
// decltype alone. A pointer to a noexcept one fits as well.
template <class R, class F, class... Args>
signature<R(Args...)> signature_of(R (F::*)(Args...));
template <class R, class F, class... Args>
signature<R(Args...)> signature_of(R (F::*)(Args...) const);
template <class R, class F, class... Args>
signature<R(Args...)> signature_of(R (F::*)(Args...) &);
template <class R, class F, class... Args>
signature<R(Args...)> signature_of(R (F::*)(Args...) const&);

}  // namespace coir::detail
