// SPDX-License-Identifier: BSL-1.0
#include "base/own_descriptor.hpp"

#include "support/descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <type_traits>
#include <utility>

using coir::detail::own_descriptor;

BOOST_AUTO_TEST_SUITE(own_descriptors)

static_assert(!std::is_copy_constructible_v<own_descriptor>);
static_assert(std::is_nothrow_move_constructible_v<own_descriptor>);

BOOST_AUTO_TEST_CASE(one_goes_to_a_high_number_and_is_known_by_it) {
    const coir::test::descriptor_limit usual(1024);
    const int low = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    errno = 4711;
    int high = -1;
    {
        const own_descriptor descriptor(low);
        BOOST_TEST(errno == 4711);
        high = descriptor.get();
        BOOST_TEST(high >= 900);
        BOOST_TEST(::fcntl(low, F_GETFD) == -1);
        BOOST_TEST(::fcntl(high, F_GETFD) == FD_CLOEXEC);
        BOOST_TEST(own_descriptor::has(high));
        BOOST_TEST(own_descriptor::any());
        BOOST_TEST(!own_descriptor::has(low));
    }
    BOOST_TEST(::fcntl(high, F_GETFD) == -1);
    BOOST_TEST(!own_descriptor::has(high));
    BOOST_TEST(!own_descriptor::any());
}

BOOST_AUTO_TEST_CASE(it_moves_and_stays_known) {
    own_descriptor first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int number = first.get();
    own_descriptor second(std::move(first));
    BOOST_TEST(!first);
    BOOST_TEST(second.get() == number);
    BOOST_TEST(own_descriptor::has(number));
    second = own_descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    BOOST_TEST(own_descriptor::has(second.get()));
    BOOST_TEST((number == second.get() || !own_descriptor::has(number)));
}

BOOST_AUTO_TEST_CASE(none_is_none) {
    const own_descriptor none(-1);
    BOOST_TEST(!none);
    BOOST_TEST(!own_descriptor::any());
    BOOST_TEST(!own_descriptor::has(-1));
    BOOST_TEST(!own_descriptor::has(1 << 20));
}

BOOST_AUTO_TEST_CASE(where_the_limit_is_low_it_stays_where_it_is) {
    const coir::test::descriptor_limit limit(64);
    const int low = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const own_descriptor descriptor(low);
    BOOST_TEST(descriptor.get() == low);
    BOOST_TEST(own_descriptor::has(low));
}

BOOST_AUTO_TEST_CASE(a_child_may_close_what_it_has_of_its_parents) {
    const own_descriptor descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    own_descriptor::forget_in_child();
    BOOST_TEST(!own_descriptor::has(descriptor.get()));
    BOOST_TEST(!own_descriptor::any());
}

BOOST_AUTO_TEST_SUITE_END()
