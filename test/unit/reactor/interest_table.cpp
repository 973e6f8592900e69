// SPDX-License-Identifier: BSL-1.0
#include "reactor/interest_table.hpp"

#include "core/waiter.hpp"

#include <boost/test/unit_test.hpp>

#include <climits>
#include <set>
#include <vector>

using coir::detail::direction;
using coir::detail::direction_set;
using coir::detail::interest_entry;
using coir::detail::interest_table;
using coir::detail::wait_node;
using coir::detail::waiter;

BOOST_AUTO_TEST_SUITE(interest_tables)

BOOST_AUTO_TEST_CASE(it_knows_nothing_at_first) {
    const interest_table table;
    for (const int descriptor : {INT_MIN, -1, 0, 255, 256, INT_MAX}) {
        BOOST_TEST(table.find(descriptor) == nullptr);
    }
}

BOOST_AUTO_TEST_CASE(entries_are_distinct_and_found_again) {
    interest_table table;
    std::set<interest_entry*> seen;
    for (const int descriptor : {0, 1, 255, 256, 257, 5000}) {
        interest_entry& entry = table.at(descriptor);
        BOOST_TEST(seen.insert(&entry).second);
        BOOST_TEST(table.find(descriptor) == &entry);
        BOOST_TEST(&table.at(descriptor) == &entry);
    }
    BOOST_TEST(table.find(1000) == nullptr);
    BOOST_TEST(table.find(-1) == nullptr);
    BOOST_TEST(table.find(INT_MAX) == nullptr);
}

BOOST_AUTO_TEST_CASE(entries_do_not_move_when_the_table_grows) {
    interest_table table;
    std::vector<interest_entry*> before;
    for (int descriptor = 0; descriptor < 300; ++descriptor) {
        before.push_back(&table.at(descriptor));
    }
    table.at(100'000);
    for (int descriptor = 0; descriptor < 300; ++descriptor) {
        BOOST_TEST(table.find(descriptor) == before[static_cast<std::size_t>(descriptor)]);
    }
}

BOOST_AUTO_TEST_CASE(of_a_new_descriptor_anything_may_be_ready_and_nobody_waits) {
    interest_table table;
    interest_entry& entry = table.at(3);
    for (const direction d : {direction::read, direction::write}) {
        BOOST_TEST(entry.ready_for(d));
        BOOST_TEST(!entry.anyone_waits_for(d));
    }
    BOOST_TEST(!entry.standing);
    BOOST_TEST((entry.wanted() == direction_set{}));
    BOOST_TEST((entry.one_shot == direction_set{}));
}

BOOST_AUTO_TEST_CASE(what_is_wanted_follows_who_waits) {
    interest_table table;
    interest_entry& entry = table.at(3);
    waiter one(false);
    waiter other(false);
    wait_node reading(one);
    wait_node writing(one);
    wait_node also_writing(other);
    reading.link_before(entry.waiters_for(direction::read));
    BOOST_TEST((entry.wanted() == direction_set{true, false}));
    writing.link_before(entry.waiters_for(direction::write));
    also_writing.link_before(entry.waiters_for(direction::write));
    BOOST_TEST((entry.wanted() == direction_set{true, true}));
    reading.unlink();
    writing.unlink();
    BOOST_TEST((entry.wanted() == direction_set{false, true}));
    also_writing.unlink();
    BOOST_TEST((entry.wanted() == direction_set{}));
}

BOOST_AUTO_TEST_SUITE_END()
