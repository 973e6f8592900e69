// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>
#include <utility>

namespace coir::detail {

// A callable that is borrowed for the time of one call, so that a template can hand its body to a
// function that lives in the library. It owns nothing and must not outlive what it refers to.
class function_ref {
public:
    template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, function_ref> &&
                                                std::is_invocable_v<F&>>>
    function_ref(F& fn) noexcept  // NOLINT(google-explicit-constructor): it stands for fn
        : object_(&fn),
          call_([](const void* object) { (*static_cast<F*>(const_cast<void*>(object)))(); }) {}

    void operator()() const { call_(object_); }

private:
    const void* object_;
    void (*call_)(const void*);
};

}  // namespace coir::detail
