// SPDX-License-Identifier: BSL-1.0
#include "context/guard/stack_guard.hpp"

#include <sys/mman.h>
#include <sys/uio.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "../child_process.hpp"
#include "context/page_size.hpp"
#include "context/stack_pool.hpp"
#include "print_guard_kind.hpp"
#include "support/system_calls.hpp"

using coir::detail::guard_kind;
using coir::detail::page_size;
using coir::detail::stack;
using coir::detail::system_calls;
using coir::test::failing_with;

namespace {

constexpr int guard_install = 102;

using replace_madvise = coir::test::replace_system_call<&system_calls::madvise>;
using replace_process_madvise = coir::test::replace_system_call<&system_calls::process_madvise>;
using replace_mprotect = coir::test::replace_system_call<&system_calls::mprotect>;

bool kernel_has_guard_install() {
    void* const page =
        ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const bool has = ::madvise(page, page_size(), guard_install) == 0;
    ::munmap(page, page_size());
    return has;
}

// Skips what this kernel can't do.
bool is_possible(guard_kind kind) {
    if (kind != guard_kind::madvise || kernel_has_guard_install())
        return true;
    BOOST_TEST_MESSAGE("skipped: this kernel has no MADV_GUARD_INSTALL (Linux 6.13)");
    return false;
}

bool writing_dies(char* address) {
    return run_in_child([&] {
               use_default_fault_handlers();
               *static_cast<volatile char*>(address) = 1;
           })
        .died_by(SIGSEGV);
}

const auto all_kinds = boost::unit_test::data::make(
    {guard_kind::automatic, guard_kind::madvise, guard_kind::mprotect});

}  // namespace

BOOST_AUTO_TEST_SUITE(stack_guard)

BOOST_DATA_TEST_CASE(all_of_the_page_below_a_stack_is_guarded, all_kinds, kind) {
    if (!is_possible(kind))
        return;
    coir::detail::stack_pool pool({kind});
    for (const std::size_t size : {16384u, 65536u, 262144u}) {
        const stack first = pool.acquire(size);
        const stack second = pool.acquire(size);
        for (const stack& s : {first, second}) {
            char* const limit = static_cast<char*>(s.limit());
            *limit = 1;
            BOOST_TEST(writing_dies(limit - 1));
            BOOST_TEST(writing_dies(limit - page_size()));
        }
        pool.release(first);
        pool.release(second);
    }
}

BOOST_DATA_TEST_CASE(guards_survive_ageing, all_kinds, kind) {
    if (!is_possible(kind))
        return;
    coir::detail::stack_pool pool({kind});
    const stack s = pool.acquire(65536);
    *static_cast<char*>(s.limit()) = 1;
    pool.release(s);
    pool.age();
    pool.age();
    BOOST_TEST(*static_cast<char*>(s.limit()) == 0);  // its memory is gone
    BOOST_TEST(writing_dies(static_cast<char*>(s.limit()) - 1));
}

BOOST_AUTO_TEST_CASE(automatic_takes_mprotect_where_madvise_is_refused_and_does_not_ask_again) {
    int calls_of_madvise = 0, calls_of_mprotect = 0;
    const replace_madvise old_kernel([&](void*, std::size_t, int) {
        ++calls_of_madvise;
        errno = EINVAL;
        return -1;
    });
    const replace_mprotect count([&](void*, std::size_t, int) {
        ++calls_of_mprotect;
        return 0;
    });
    coir::detail::stack_guard guard(guard_kind::automatic);
    BOOST_TEST(guard.install(nullptr, 0, 1) == 1u);
    BOOST_TEST(guard.install(nullptr, 0, 1) == 1u);
    BOOST_TEST(guard.kind() == guard_kind::mprotect);
    BOOST_TEST(calls_of_madvise == 1);
    BOOST_TEST(calls_of_mprotect == 2);
}

BOOST_AUTO_TEST_CASE(automatic_stays_with_madvise_where_it_works) {
    const replace_madvise accept([](void*, std::size_t, int) { return 0; });
    const replace_mprotect refuse(failing_with(ENOMEM));
    coir::detail::stack_guard guard(guard_kind::automatic);
    BOOST_TEST(guard.install(nullptr, 0, 1) == 1u);
    BOOST_TEST(guard.kind() == guard_kind::automatic);
}

BOOST_AUTO_TEST_CASE(a_forced_kind_does_not_fall_back) {
    bool asked = false;
    const replace_madvise old_kernel(failing_with(EINVAL));
    const replace_mprotect notice([&](void*, std::size_t, int) {
        asked = true;
        return 0;
    });
    coir::detail::stack_guard guard(guard_kind::madvise);
    BOOST_TEST(guard.install(nullptr, 0, 1) == 0u);
    BOOST_TEST(errno == EINVAL);
    BOOST_TEST(!asked);
}

BOOST_AUTO_TEST_CASE(stacks_of_a_large_slab_are_guarded_in_rows) {
    if (!is_possible(guard_kind::madvise))
        return;
    int rows = 0;
    std::size_t in_rows = 0;
    const replace_process_madvise count([&](int, const iovec*, std::size_t pages, int, unsigned) {
        ++rows;
        in_rows += pages;
        return static_cast<ssize_t>(pages * page_size());
    });
    coir::detail::stack_pool pool({guard_kind::madvise});
    std::vector<stack> stacks;
    for (int i = 0; i < 16 + 16 + 32 + 64; ++i)
        stacks.push_back(pool.acquire(65536));
    BOOST_TEST(in_rows == 64u);  // the slabs before are small
    BOOST_TEST(rows == 2);
    for (const stack& s : stacks)
        pool.release(s);
}

BOOST_AUTO_TEST_CASE(every_stack_of_a_row_is_guarded) {
    if (!is_possible(guard_kind::madvise))
        return;
    coir::detail::stack_pool pool({guard_kind::madvise});
    std::vector<stack> stacks;
    for (int i = 0; i < 128; ++i)
        stacks.push_back(pool.acquire(65536));
    for (const std::size_t i : {64u, 65u, 95u, 96u, 127u})
        BOOST_TEST(writing_dies(static_cast<char*>(stacks[i].limit()) - 1));
    for (const stack& s : stacks)
        pool.release(s);
}

BOOST_AUTO_TEST_CASE(where_rows_are_refused_stacks_are_guarded_one_by_one) {
    if (!is_possible(guard_kind::madvise))
        return;
    int refusals = 0;
    const replace_process_madvise refuse([&](int, const iovec*, std::size_t, int, unsigned) {
        ++refusals;
        errno = EPERM;
        return ssize_t{-1};
    });
    coir::detail::stack_pool pool({guard_kind::madvise});
    std::vector<stack> stacks;
    for (int i = 0; i < 128; ++i)
        stacks.push_back(pool.acquire(65536));
    BOOST_TEST(refusals == 1);
    BOOST_TEST(writing_dies(static_cast<char*>(stacks.back().limit()) - 1));
    for (const stack& s : stacks)
        pool.release(s);
}

BOOST_AUTO_TEST_CASE(a_stack_without_a_guard_is_not_handed_out) {
    coir::detail::stack_pool pool({guard_kind::mprotect});
    {
        const replace_mprotect refuse(failing_with(ENOMEM));
        try {
            pool.release(pool.acquire(65536));
            BOOST_ERROR("acquire did not throw");
        } catch (const std::system_error& e) {
            BOOST_TEST((e.code() == std::errc::not_enough_memory));
            for (const char* part : {"guard", "65536 bytes", "0 stacks in use", "vm.max_map_count"})
                BOOST_TEST(std::string(e.what()).find(part) != std::string::npos,
                           part << " is missing in: " << e.what());
        }
    }
    BOOST_TEST(pool.live() == 0u);
    const stack s = pool.acquire(65536);  // the same slot, this time with a guard
    BOOST_TEST(s.index == 0u);
    BOOST_TEST(writing_dies(static_cast<char*>(s.limit()) - 1));
    pool.release(s);
}

BOOST_AUTO_TEST_SUITE_END()
