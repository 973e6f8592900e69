// SPDX-License-Identifier: BSL-1.0
#include "base/unique_fd.hpp"

#include "support/system_calls.hpp"

#include <boost/test/unit_test.hpp>
#include <type_traits>
#include <vector>

namespace {

// Descriptors here are made up; what would be closed is written down instead.
struct closings {
    std::vector<int> closed;
    coir::test::replace_system_call<&coir::detail::system_calls::close> guard{[this](int fd) {
        closed.push_back(fd);
        errno = EINTR;
        return -1;
    }};

    bool are(const std::vector<int>& expected) const { return closed == expected; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(unique_fd, closings)

using coir::detail::unique_fd;

static_assert(!std::is_copy_constructible_v<unique_fd>);
static_assert(!std::is_copy_assignable_v<unique_fd>);
static_assert(std::is_nothrow_move_constructible_v<unique_fd>);
static_assert(sizeof(unique_fd) == sizeof(int));

BOOST_AUTO_TEST_CASE(an_empty_one_closes_nothing) {
    {
        const unique_fd fd;
        BOOST_TEST(!fd);
        BOOST_TEST(fd.get() == -1);
    }
    BOOST_TEST(are({}));
}

BOOST_AUTO_TEST_CASE(the_destructor_closes_even_descriptor_zero) {
    {
        const unique_fd fd(0);
        BOOST_TEST(static_cast<bool>(fd));
    }
    BOOST_TEST(are({0}));
}

BOOST_AUTO_TEST_CASE(a_move_leaves_the_source_empty) {
    {
        unique_fd from(7);
        const unique_fd to(std::move(from));
        BOOST_TEST(!from);
        BOOST_TEST(to.get() == 7);
        BOOST_TEST(are({}));
    }
    BOOST_TEST(are({7}));
}

BOOST_AUTO_TEST_CASE(a_move_assignment_closes_what_was_held) {
    unique_fd from(7);
    unique_fd to(8);
    to = std::move(from);
    BOOST_TEST(are({8}));
    BOOST_TEST(to.release() == 7);
}

BOOST_AUTO_TEST_CASE(a_move_to_itself_keeps_the_descriptor) {
    unique_fd fd(7);
    unique_fd& same = fd;
    fd = std::move(same);
    BOOST_TEST(fd.get() == 7);
    BOOST_TEST(are({}));
}

BOOST_AUTO_TEST_CASE(release_gives_up_without_closing) {
    {
        unique_fd fd(7);
        BOOST_TEST(fd.release() == 7);
        BOOST_TEST(!fd);
    }
    BOOST_TEST(are({}));
}

BOOST_AUTO_TEST_CASE(reset_closes_once_and_does_not_retry_after_eintr) {
    unique_fd fd(7);
    fd.reset();
    fd.reset();
    BOOST_TEST(are({7}));
    fd.reset(9);
    fd.reset(9);
    BOOST_TEST(fd.release() == 9);
    BOOST_TEST(are({7}));
}

BOOST_AUTO_TEST_CASE(closing_keeps_errno) {
    errno = EMFILE;
    { const unique_fd fd(7); }
    BOOST_TEST(errno == EMFILE);
}

BOOST_AUTO_TEST_SUITE_END()
