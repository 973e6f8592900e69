// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/context/detail/fcontext.hpp>

namespace coir::detail {

// How many bytes above the registers that are saved the caller's frame begins, roughly.
inline constexpr int from_jump_to_caller = 64 + 128;

// Boost.Context's jump, entered by a jump.
//
// A processor predicts where a `ret` goes by a stack of its own, onto which each `call` puts an
// address. jump_fcontext is called, but leaves by an indirect jump. So after each switch there is
// one address too many, and every `ret` on the way up to the fiber's own code is predicted to go
// where the one before it should have gone: a switch below three frames costs three mispredictions,
// each of which takes about as long as the jump.
//
// Here the return address is pushed by hand, so that calls and returns stay paired. Most fibers
// come here on the same way, and then every prediction is right. Yielding in a ring of ten, 21 ns
// became 14 by this alone. (A function that is called, and does this with a `ret` at its end, would
// be paired as well; it costs half a nanosecond more.)
inline boost::context::detail::transfer_t jump(boost::context::detail::fcontext_t to,
                                               void* data) noexcept {
    boost::context::detail::transfer_t from;
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n\t"  // the function around this may have a red zone
        "leaq 1f(%%rip), %%rax\n\t"
        "pushq %%rax\n\t"
        "jmp *jump_fcontext@GOTPCREL(%%rip)\n"
        "1:\n\t"
        "leaq 128(%%rsp), %%rsp"
        : "=&a"(from.fctx), "=&d"(from.data), "+D"(to), "+S"(data)
        :
        // All that a call may change, as the System V ABI has it.
        : "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
          "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st",
          "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1", "mm2", "mm3",
          "mm4", "mm5", "mm6", "mm7",
#ifdef __AVX512F__
          "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",
          "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",
          "k7",
#endif
          "cc", "memory");
    return from;
}

}  // namespace coir::detail
