// SPDX-License-Identifier: BSL-1.0
#include "raw_system_calls.hpp"

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <set>
#include <vector>

using coir::hook_audit::raw_system_calls;

namespace {

using numbers = std::set<std::uint32_t>;

std::vector<std::byte> code(std::initializer_list<int> bytes) {
    std::vector<std::byte> result;
    for (const int byte : bytes) {
        result.push_back(static_cast<std::byte>(byte));
    }
    return result;
}

raw_system_calls in_x86_64(std::initializer_list<int> bytes) {
    raw_system_calls found;
    found.scan_x86_64(code(bytes));
    return found;
}

raw_system_calls in_aarch64(std::initializer_list<int> bytes) {
    raw_system_calls found;
    found.scan_aarch64(code(bytes));
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(raw_system_calls_of_x86_64)

BOOST_AUTO_TEST_CASE(a_number_loaded_before_the_instruction_is_told) {
    // mov $202, %eax; xor %edx, %edx; syscall
    const auto found = in_x86_64({0xb8, 0xca, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x05});
    BOOST_TEST(found.places == 1U);
    BOOST_TEST((found.numbers == numbers{202}));
    // mov $1, %rax; syscall
    BOOST_TEST((in_x86_64({0x48, 0xc7, 0xc0, 1, 0, 0, 0, 0x0f, 0x05}).numbers == numbers{1}));
}

BOOST_AUTO_TEST_CASE(the_last_number_is_the_one_that_counts) {
    const auto found = in_x86_64({0xb8, 1, 0, 0, 0, 0xb8, 2, 0, 0, 0, 0x0f, 0x05});
    BOOST_TEST((found.numbers == numbers{2}));
}

BOOST_AUTO_TEST_CASE(a_check_for_an_error_makes_it_one_without_a_number) {
    // syscall; cmp $-4095, %rax
    const auto found = in_x86_64({0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff});
    BOOST_TEST(found.places == 1U);
    BOOST_TEST(found.numbers.empty());
    // The same with %eax.
    BOOST_TEST(in_x86_64({0x0f, 0x05, 0x3d, 0x00, 0xf0, 0xff, 0xff}).places == 1U);
}

BOOST_AUTO_TEST_CASE(the_bytes_alone_are_chance) {
    BOOST_TEST(in_x86_64({0x0f, 0x05}).places == 0U);
    BOOST_TEST(in_x86_64({0x90, 0x0f, 0x05, 0xc3}).places == 0U);
    // mov $202, %r8d
    BOOST_TEST(in_x86_64({0x41, 0xb8, 0xca, 0, 0, 0, 0x0f, 0x05}).places == 0U);
    // No system call has such a number.
    BOOST_TEST(in_x86_64({0xb8, 0, 0, 1, 0, 0x0f, 0x05}).places == 0U);
    // mov $202, %eax; lea 0x50f21(%rip), %rsi
    BOOST_TEST(in_x86_64({0xb8, 0xca, 0, 0, 0, 0x48, 0x8d, 0x35, 0x21, 0x0f, 0x05, 0}).places ==
               0U);
}

BOOST_AUTO_TEST_CASE(code_may_end_anywhere) {
    const auto whole = code({0xb8, 0xca, 0, 0, 0, 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff});
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        raw_system_calls found;
        // A copy of just that size, so that a sanitizer sees a read beyond it.
        found.scan_x86_64(std::vector<std::byte>(
            whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        BOOST_TEST(found.places == (size >= 7 ? 1U : 0U));
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(raw_system_calls_of_aarch64)

BOOST_AUTO_TEST_CASE(a_number_loaded_before_the_instruction_is_told) {
    // mov w8, #98; svc #0
    const auto found = in_aarch64({0x48, 0x0c, 0x80, 0x52, 0x01, 0, 0, 0xd4});
    BOOST_TEST(found.places == 1U);
    BOOST_TEST((found.numbers == numbers{98}));
    // mov x8, #63; mov x1, x2; svc #0
    BOOST_TEST(
        (in_aarch64({0xe8, 0x07, 0x80, 0xd2, 0xe1, 0x03, 0x02, 0xaa, 0x01, 0, 0, 0xd4}).numbers ==
         numbers{63}));
}

BOOST_AUTO_TEST_CASE(only_whole_instructions_count) {
    BOOST_TEST(in_aarch64({0, 0, 0x01, 0, 0, 0xd4, 0, 0}).places == 0U);
    BOOST_TEST(in_aarch64({0x01, 0, 0}).places == 0U);
    // svc #1 is no system call of Linux.
    BOOST_TEST(in_aarch64({0x21, 0, 0, 0xd4}).places == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
