// SPDX-License-Identifier: BSL-1.0
#include "context/stack_pool.hpp"

#include <sys/mman.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "context/page_size.hpp"
#include "support/system_calls.hpp"

using coir::detail::page_size;
using coir::detail::stack;
using coir::detail::system_calls;
using coir::test::replace_system_call;

namespace {

constexpr std::size_t kib = 1024;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void write_to(const stack& s) { std::memset(s.limit(), 1, s.size); }

std::size_t resident_pages(const stack& s) {
    const std::size_t bytes = s.reserved_size() - page_size();
    std::vector<unsigned char> pages(bytes / page_size());
    BOOST_TEST_REQUIRE(::mincore(s.limit(), bytes, pages.data()) == 0);
    std::size_t count = 0;
    for (const unsigned char page : pages)
        count += page & 1u;
    return count;
}

std::vector<stack> acquire_many(coir::detail::stack_pool& pool, std::size_t count,
                                std::size_t size) {
    std::vector<stack> stacks(count);
    for (stack& s : stacks)
        s = pool.acquire(size);
    return stacks;
}

void release_all(coir::detail::stack_pool& pool, const std::vector<stack>& stacks) {
    for (const stack& s : stacks)
        pool.release(s);
}

replace_system_call<&system_calls::mmap> refuse_mappings_above(std::size_t limit) {
    using replace_mmap = replace_system_call<&system_calls::mmap>;
    return replace_mmap(
        [limit](void* hint, std::size_t size, int protection, int flags, int fd, off_t offset) {
            if (size <= limit)
                return replace_mmap::original(hint, size, protection, flags, fd, offset);
            errno = ENOMEM;
            return MAP_FAILED;
        });
}

// What a failing acquire says; it must leave everything as it was.
std::system_error failure_of_acquire(coir::detail::stack_pool& pool, std::size_t size) {
    const std::size_t live = pool.live();
    try {
        pool.release(pool.acquire(size));
    } catch (const std::system_error& e) {
        BOOST_TEST(pool.live() == live);
        return e;
    }
    BOOST_FAIL("acquire did not fail");
    throw std::logic_error("not reached");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stack_pool)

BOOST_AUTO_TEST_CASE(the_stack_released_last_is_handed_out_first) {
    coir::detail::stack_pool pool;
    const stack a = pool.acquire();
    const stack b = pool.acquire();
    pool.release(a);
    pool.release(b);
    const stack again = pool.acquire();
    BOOST_TEST(again.top == b.top);
    const stack first = pool.acquire();
    BOOST_TEST(first.top == a.top);
    pool.release(again);
    pool.release(first);
}

BOOST_AUTO_TEST_CASE(live_and_free_stacks_are_counted) {
    coir::detail::stack_pool pool;
    BOOST_TEST(pool.mapped_bytes() == 0u);
    const auto stacks = acquire_many(pool, 3, 64 * kib);
    BOOST_TEST(pool.live() == 3u);
    BOOST_TEST(pool.free() == 0u);
    BOOST_TEST(pool.mapped_bytes() == 16 * 64 * kib);
    release_all(pool, stacks);
    BOOST_TEST(pool.live() == 0u);
    BOOST_TEST(pool.free() == 3u);
}

BOOST_AUTO_TEST_CASE(sizes_are_rounded_up_to_pages_and_kept_apart) {
    coir::detail::stack_pool pool;
    const stack small = pool.acquire(64 * kib - 1);
    const stack big = pool.acquire(1024 * kib);
    BOOST_TEST(small.reserved_size() == 64 * kib);
    BOOST_TEST(big.reserved_size() == 1024 * kib);
    pool.release(small);
    pool.release(big);
    const stack small_again = pool.acquire(64 * kib);
    BOOST_TEST(small_again.top == small.top);
    pool.release(small_again);
}

BOOST_AUTO_TEST_CASE(all_of_a_stack_can_be_written_but_the_guard) {
    coir::detail::stack_pool pool;
    for (const std::size_t size : {pool.minimum_size, 64 * kib, pool.default_size}) {
        const auto stacks = acquire_many(pool, 40, size);
        for (const stack& s : stacks) {
            write_to(s);
            BOOST_TEST(s.size + page_size() + 32 * 64 > size);
            BOOST_TEST(s.contains(s.limit()));
            BOOST_TEST(!s.contains(s.top));
            BOOST_TEST(!s.guard_contains(s.limit()));
            BOOST_TEST(s.guard_contains(static_cast<char*>(s.limit()) - 1));
            BOOST_TEST(s.guard_contains(static_cast<char*>(s.limit()) - page_size()));
            BOOST_TEST(!s.guard_contains(static_cast<char*>(s.limit()) - page_size() - 1));
        }
        release_all(pool, stacks);
    }
}

BOOST_AUTO_TEST_CASE(neighbouring_stack_tops_fall_into_different_cache_sets) {
    coir::detail::stack_pool pool;
    const auto stacks = acquire_many(pool, 32, 64 * kib);
    std::set<std::uintptr_t> sets;
    for (const stack& s : stacks) {
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(s.top) % 64 == 0u);
        sets.insert(reinterpret_cast<std::uintptr_t>(s.top) / 64 % 64);
    }
    // The first slab has 16 slots, the next one starts anew.
    BOOST_TEST(sets.size() == 16u);
    release_all(pool, stacks);
}

BOOST_AUTO_TEST_CASE(many_stacks_need_few_mappings) {
    std::size_t mappings = 0;
    using replace_mmap = replace_system_call<&system_calls::mmap>;
    const replace_mmap guard(
        [&](void* hint, std::size_t size, int protection, int flags, int fd, off_t offset) {
            ++mappings;
            return replace_mmap::original(hint, size, protection, flags, fd, offset);
        });
    coir::detail::stack_pool pool;
    release_all(pool, acquire_many(pool, 3000, coir::detail::stack_pool::minimum_size));
    BOOST_TEST(mappings == 9u);  // 16, 16, 32, 64, ... 512, 1024, 1024
    BOOST_TEST(pool.free() == 3000u);
}

BOOST_DATA_TEST_CASE(a_size_outside_the_limits_is_refused,
                     boost::unit_test::data::make<std::size_t>({0, 16 * kib - 1,
                                                                1024 * 1024 * kib + 1}),
                     size) {
    coir::detail::stack_pool pool;
    try {
        pool.release(pool.acquire(size));
        BOOST_ERROR("acquire did not throw");
    } catch (const std::invalid_argument& e) {
        const std::string text = e.what();
        BOOST_TEST(contains(text, " " + std::to_string(size) + " bytes"));
        BOOST_TEST(contains(text, "16384"));
        BOOST_TEST(contains(text, "1073741824"));
        BOOST_TEST(contains(text, "fiber_options::stack_size"));
    }
}

BOOST_AUTO_TEST_CASE(a_refused_mapping_is_reported_with_what_limits_it) {
    coir::detail::stack_pool pool;
    const stack held = pool.acquire(64 * kib);
    const std::size_t mapped = pool.mapped_bytes();
    {
        const auto refuse_mmap = refuse_mappings_above(0);
        const std::system_error e = failure_of_acquire(pool, 128 * kib);
        const std::string text = e.what();
        BOOST_TEST((e.code() == std::errc::not_enough_memory));
        for (const char* part : {"131072 bytes", "1 stacks in use", "vm.max_map_count", "ulimit -v",
                                 "fiber_options::stack_size"})
            BOOST_TEST(contains(text, part), part << " is missing in: " << text);
    }
    BOOST_TEST(pool.mapped_bytes() == mapped);
    const stack later = pool.acquire(128 * kib);
    pool.release(later);
    pool.release(held);
}

BOOST_AUTO_TEST_CASE(where_a_big_slab_is_refused_a_smaller_one_does) {
    const auto refuse_mmap = refuse_mappings_above(64 * kib);
    coir::detail::stack_pool pool;
    const auto stacks = acquire_many(pool, 3, 64 * kib);
    BOOST_TEST(pool.mapped_bytes() == 3 * 64 * kib);
    release_all(pool, stacks);
}

BOOST_AUTO_TEST_CASE(the_largest_stack_can_be_had) {
    coir::detail::stack_pool pool;
    const stack s = pool.acquire(coir::detail::stack_pool::maximum_size);
    static_cast<char*>(s.limit())[0] = 1;
    BOOST_TEST(pool.mapped_bytes() == coir::detail::stack_pool::maximum_size);
    pool.release(s);
}

BOOST_AUTO_TEST_SUITE(ageing)

BOOST_AUTO_TEST_CASE(stacks_that_nobody_needed_lose_their_memory_by_halves) {
    coir::detail::stack_pool pool;
    const auto stacks = acquire_many(pool, 8, 64 * kib);
    for (const stack& s : stacks)
        write_to(s);
    release_all(pool, stacks);
    const auto warm = [&] {
        std::size_t count = 0;
        for (const stack& s : stacks)
            count += resident_pages(s) != 0;
        return count;
    };
    pool.age();  // they were in use in this period
    BOOST_TEST(warm() == 8u);
    for (const std::size_t expected : {4u, 2u, 1u, 0u, 0u}) {
        pool.age();
        BOOST_TEST(warm() == expected);
    }
    BOOST_TEST(pool.free() == 8u);
}

BOOST_AUTO_TEST_CASE(stacks_that_are_needed_now_and_then_stay_warm) {
    coir::detail::stack_pool pool;
    for (int period = 0; period < 10; ++period) {
        const auto stacks = acquire_many(pool, 4, 64 * kib);
        if (period == 0)
            for (const stack& s : stacks)
                write_to(s);
        for (const stack& s : stacks)
            BOOST_TEST(resident_pages(s) == 15u);
        release_all(pool, stacks);
        pool.age();
    }
}

BOOST_AUTO_TEST_CASE(a_stack_can_be_used_again_after_it_lost_its_memory) {
    coir::detail::stack_pool pool;
    auto stacks = acquire_many(pool, 8, 64 * kib);
    release_all(pool, stacks);
    for (int period = 0; period < 6; ++period)
        pool.age();
    stacks = acquire_many(pool, 8, 64 * kib);
    for (const stack& s : stacks)
        write_to(s);
    release_all(pool, stacks);
    pool.age();
    for (const stack& s : stacks)
        BOOST_TEST(resident_pages(s) == 15u);
}

BOOST_AUTO_TEST_CASE(slabs_of_which_nothing_is_in_use_are_unmapped_but_the_first) {
    coir::detail::stack_pool pool;
    const auto stacks = acquire_many(pool, 100, 64 * kib);
    BOOST_TEST(pool.mapped_bytes() == 128 * 64 * kib);
    release_all(pool, stacks);
    for (int period = 0; period < 12; ++period)
        pool.age();
    BOOST_TEST(pool.mapped_bytes() == 16 * 64 * kib);
    BOOST_TEST(pool.free() == 16u);
    const auto again = acquire_many(pool, 100, 64 * kib);
    for (const stack& s : again)
        write_to(s);
    release_all(pool, again);
    BOOST_TEST(pool.free() == 100u);
}

BOOST_AUTO_TEST_CASE(a_slab_with_a_stack_in_use_stays) {
    coir::detail::stack_pool pool;
    const auto stacks = acquire_many(pool, 32, 64 * kib);
    for (std::size_t i = 0; i < 31; ++i)
        pool.release(stacks[i]);
    for (int period = 0; period < 12; ++period)
        pool.age();
    BOOST_TEST(pool.mapped_bytes() == 32 * 64 * kib);
    write_to(stacks[31]);
    pool.release(stacks[31]);
}

BOOST_AUTO_TEST_CASE(one_call_gives_back_a_bounded_number_of_stacks) {
    std::size_t advised = 0;
    using replace_madvise = replace_system_call<&system_calls::madvise>;
    const replace_madvise guard([&](void* start, std::size_t size, int advice) {
        advised += advice == MADV_DONTNEED;
        return replace_madvise::original(start, size, advice);
    });
    coir::detail::stack_pool pool;
    release_all(pool, acquire_many(pool, 4000, coir::detail::stack_pool::minimum_size));
    pool.age();
    advised = 0;
    pool.age();
    BOOST_TEST(advised == coir::detail::stack_pool::age_limit);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
