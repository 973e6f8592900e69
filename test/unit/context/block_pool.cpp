// SPDX-License-Identifier: BSL-1.0
#include "context/block_pool.hpp"

#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "context/sanitizer/annotations.hpp"

namespace {

struct bound_pool {
    coir::detail::block_pool pool;

    bound_pool() { pool.bind_to_this_thread(); }
};

std::vector<void*> allocate_many(coir::detail::block_pool& pool, std::size_t count,
                                 std::size_t bytes) {
    std::vector<void*> blocks(count);
    for (void*& block : blocks)
        block = pool.allocate(bytes);
    return blocks;
}

std::set<void*> as_set(const std::vector<void*>& blocks) { return {blocks.begin(), blocks.end()}; }

template <typename Body>
void on_another_thread(Body body) {
    std::thread(body).join();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(block_pool)

BOOST_FIXTURE_TEST_CASE(the_block_released_last_is_handed_out_first, bound_pool) {
    void* const a = pool.allocate(200);
    void* const b = pool.allocate(200);
    pool.release(a, 200);
    pool.release(b, 200);
    BOOST_TEST(pool.allocate(200) == b);
    BOOST_TEST(pool.allocate(200) == a);
    pool.release(a, 200);
    pool.release(b, 200);
}

BOOST_DATA_TEST_CASE_F(bound_pool, blocks_are_as_big_as_asked_for_and_aligned_and_do_not_overlap,
                       boost::unit_test::data::make({1, 256, 257, 512, 513, 1024, 1025, 2048, 2049,
                                                     100000}),
                       size) {
    const auto bytes = static_cast<std::size_t>(size);
    std::vector<unsigned char*> blocks;
    for (int i = 0; i < 200; ++i) {
        auto* const block = static_cast<unsigned char*>(pool.allocate(bytes));
        BOOST_TEST_REQUIRE(reinterpret_cast<std::uintptr_t>(block) % 64 == 0u);
        std::memset(block, i, bytes);
        blocks.push_back(block);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        BOOST_TEST_REQUIRE(blocks[i][0] == i);
        BOOST_TEST_REQUIRE(blocks[i][bytes - 1] == i);
        pool.release(blocks[i], bytes);
    }
    BOOST_TEST(pool.live() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_warm_pool_hands_out_the_memory_that_it_has, bound_pool) {
    const std::vector<void*> first = allocate_many(pool, 1000, 256);
    for (void* const block : first)
        pool.release(block, 256);
    const std::vector<void*> second = allocate_many(pool, 1000, 256);
    BOOST_TEST((as_set(second) == as_set(first)));
    for (void* const block : second)
        pool.release(block, 256);
}

BOOST_FIXTURE_TEST_CASE(blocks_that_another_thread_released_are_used_again, bound_pool) {
    const std::vector<void*> first = allocate_many(pool, 1000, 512);
    on_another_thread([&] {
        for (void* const block : first)
            coir::detail::block_pool::release(block, 512);
    });
    BOOST_TEST(pool.live() == 0u);
    const std::vector<void*> second = allocate_many(pool, 1000, 512);
    BOOST_TEST((as_set(second) == as_set(first)));
    for (void* const block : second)
        pool.release(block, 512);
}

BOOST_FIXTURE_TEST_CASE(another_threads_pool_does_not_take_the_block, bound_pool) {
    void* const block = pool.allocate(256);
    on_another_thread([&] {
        coir::detail::block_pool other;
        other.bind_to_this_thread();
        coir::detail::block_pool::release(block, 256);
        void* const own = other.allocate(256);
        BOOST_TEST(own != block);
        coir::detail::block_pool::release(own, 256);
    });
    BOOST_TEST(pool.allocate(256) == block);
    pool.release(block, 256);
}

BOOST_FIXTURE_TEST_CASE(live_counts_the_blocks_in_use, bound_pool) {
    void* const a = pool.allocate(100);
    void* const b = pool.allocate(2000);
    BOOST_TEST(pool.live() == 2u);
    pool.release(a, 100);
    BOOST_TEST(pool.live() == 1u);
    on_another_thread([&] { coir::detail::block_pool::release(b, 2000); });
    BOOST_TEST(pool.live() == 0u);
}

// That the memory is freed is for the leak checkers of AddressSanitizer and Valgrind to see.
BOOST_AUTO_TEST_CASE(blocks_outlive_their_pool_and_the_last_one_frees_the_memory) {
    auto pool = std::make_unique<coir::detail::block_pool>();
    pool->bind_to_this_thread();
    std::vector<void*> blocks;
    for (int i = 0; i < 400; ++i)
        blocks.push_back(pool->allocate(256));
    for (int i = 0; i < 10; ++i) {
        coir::detail::block_pool::release(blocks.back(), 256);
        blocks.pop_back();
    }
    pool.reset();
    for (void* const block : blocks)
        std::memset(block, 1, 256);
    for (void* const block : blocks)
        coir::detail::block_pool::release(block, 256);
}

BOOST_AUTO_TEST_CASE(a_later_pool_does_not_take_the_blocks_of_a_former_one) {
    std::optional<coir::detail::block_pool> pool;
    pool.emplace().bind_to_this_thread();
    void* const block = pool->allocate(256);
    pool.reset();
    pool.emplace().bind_to_this_thread();  // at the same address
    coir::detail::block_pool::release(block, 256);
    BOOST_TEST(pool->live() == 0u);
}

// Goal: no block is lost or used twice when pushes race with drains and with the end of the pool.
// Method: the owner hands blocks to two threads as fast as it can and dies in the middle; the
// counts at the end, and the sanitizers, tell.
BOOST_AUTO_TEST_CASE(releases_race_with_the_owner_and_with_its_end) {
    for (int round = 0; round < 50; ++round) {
        constexpr std::size_t slots = 2000;
        std::vector<std::atomic<void*>> handed_over(slots);
        const auto take_every_second = [&](std::size_t first) {
            for (std::size_t i = first; i < slots; i += 2) {
                void* block;
                while ((block = handed_over[i].load(std::memory_order_acquire)) == nullptr)
                    std::this_thread::yield();
                coir::detail::block_pool::release(block, 512);
            }
        };
        std::thread even(take_every_second, 0), odd(take_every_second, 1);
        {
            coir::detail::block_pool pool;
            pool.bind_to_this_thread();
            for (auto& slot : handed_over) {
                void* const block = pool.allocate(512);
                std::memset(block, round, 512);
                slot.store(block, std::memory_order_release);
            }
        }
        even.join();
        odd.join();
    }
}

#ifdef COIR_ADDRESS_SANITIZER
BOOST_FIXTURE_TEST_CASE(a_released_block_is_poisoned, bound_pool) {
    void* const block = pool.allocate(256);
    BOOST_TEST(__asan_region_is_poisoned(block, 256) == nullptr);
    pool.release(block, 256);
    BOOST_TEST(__asan_address_is_poisoned(block) == 1);
    BOOST_TEST(__asan_address_is_poisoned(static_cast<char*>(block) + 255) == 1);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
