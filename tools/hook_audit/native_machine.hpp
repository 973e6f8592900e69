// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <elf.h>
#include <cstdint>
#include <string>
#include <string_view>

namespace coir::hook_audit {

// The machine that this program was compiled for: only its files are audited, since only its
// dynamic linker is known.
#if defined(__x86_64__)
constexpr std::uint16_t native_machine = EM_X86_64;
constexpr std::string_view multiarch_name = "x86_64-linux-gnu";
constexpr std::string_view platform_name = "x86_64";
// How /etc/ld.so.cache marks a library of this machine: FLAG_ELF_LIBC6 with the ABI of glibc's
// dl-cache.h.
constexpr std::int32_t cache_flags = 0x0303;
#elif defined(__aarch64__)
constexpr std::uint16_t native_machine = EM_AARCH64;
constexpr std::string_view multiarch_name = "aarch64-linux-gnu";
constexpr std::string_view platform_name = "aarch64";
constexpr std::int32_t cache_flags = 0x0a03;
#else
#error "coir-hook-audit knows x86-64 and aarch64"
#endif

// A machine by its name, for messages.
inline std::string name_of_machine(std::uint16_t machine) {
    switch (machine) {
        case EM_X86_64: return "x86-64";
        case EM_386: return "Intel 80386";
        case EM_AARCH64: return "AArch64";
        case EM_ARM: return "ARM";
        case EM_RISCV: return "RISC-V";
        case EM_PPC64: return "PowerPC64";
        case EM_S390: return "S/390";
        case EM_MIPS: return "MIPS";
        case EM_LOONGARCH: return "LoongArch";
        default: return "machine " + std::to_string(machine);
    }
}

}  // namespace coir::hook_audit
