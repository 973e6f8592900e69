// SPDX-License-Identifier: BSL-1.0
#include "hook/handler_frame.hpp"

#include "base/libc_only.hpp"
#include "hook/interpose.hpp"

#include <coir/detail/interposition.hpp>

#include <ucontext.h>
#include <unistd.h>
#include <cstdlib>
#include <string_view>

namespace coir::hook::detail {

namespace {

std::uintptr_t stack_pointer(const void* context) noexcept {
    const mcontext_t& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
    return static_cast<std::uintptr_t>(machine.gregs[REG_RSP]);
#elif defined(__aarch64__)
    return machine.sp;
#else
#error "the stack pointer of what was interrupted is not known here"
#endif
}

[[noreturn]] void refuse_the_jump() noexcept {
    constexpr std::string_view text =
        "coir::hook: a signal handler has jumped (longjmp) out of a wait, or into another fiber. "
        "It can only leave code of the fiber that it has interrupted; let it return, and the wait "
        "fails with EINTR.\n";
    [[maybe_unused]] const auto written =
        COIR_ORIGINAL(write)(STDERR_FILENO, text.data(), text.size());
    std::abort();
}

}  // namespace

handler_frame::handler_frame(const void* frame, const void* context) noexcept
    : frame_(reinterpret_cast<std::uintptr_t>(frame)),
      interrupted_(stack_pointer(context)),
      outer_(innermost_),
      depth_outside_(coir::detail::libc_only::depth()) {
    coir::detail::libc_only::begin();
    innermost_ = this;
}

handler_frame::~handler_frame() { leave(); }

void handler_frame::leave() const noexcept {
    innermost_ = outer_;
    coir::detail::libc_only::go_back_to(depth_outside_);
}

void handler_frame::leave_for(std::uintptr_t from, std::uintptr_t target) noexcept {
    const handler_frame* last_left = nullptr;
    while (innermost_ != nullptr && (target < from || target >= innermost_->frame_)) {
        last_left = innermost_;
        from = innermost_->interrupted_;
        innermost_->leave();
    }
    if (last_left == nullptr || innermost_ != nullptr) {
        return;  // what it leaves, if anything, is a handler's own code
    }
    const bool in_fiber = coir::detail::calling_carrier() != nullptr;
    if (!coir::detail::may_jump_to(reinterpret_cast<const void*>(target)) ||
        (in_fiber && target < last_left->interrupted_)) {
        refuse_the_jump();
    }
}

}  // namespace coir::hook::detail
