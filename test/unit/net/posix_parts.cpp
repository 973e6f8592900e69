// SPDX-License-Identifier: BSL-1.0
#include "net/posix_parts.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <vector>

using coir::detail::transfer_parts;

namespace {

struct alphabet {
    std::string letters = "abcdefghijklmnopqrstuvwxyz";
    // "abc", nothing, "defg", "hijklmnopqrstuvwxyz"
    std::vector<iovec> parts{
        {letters.data(), 3}, {nullptr, 0}, {letters.data() + 3, 4}, {letters.data() + 7, 19}};
    transfer_parts all{parts.data(), parts.size()};

    static std::string text_of(const transfer_parts::window& window) {
        std::string text;
        for (std::size_t i = 0; i < window.count; ++i) {
            text.append(static_cast<const char*>(window.parts[i].iov_base),
                        window.parts[i].iov_len);
        }
        return text;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(posix_parts, alphabet)

BOOST_AUTO_TEST_CASE(the_total_is_the_sum) {
    BOOST_TEST(all.total() == 26U);
    BOOST_TEST(transfer_parts(nullptr, 0).total() == 0U);
    BOOST_TEST(transfer_parts(nullptr, 5).total() == 0U);
}

BOOST_AUTO_TEST_CASE(the_total_is_what_one_call_can_move) {
    const std::size_t huge = std::numeric_limits<std::size_t>::max();
    const iovec absurd[] = {{letters.data(), huge}, {letters.data(), huge}};
    BOOST_TEST(transfer_parts(absurd, 2).total() == 0x7ffff000U);
}

BOOST_AUTO_TEST_CASE(what_follows_any_number_of_bytes_is_the_rest) {
    for (std::size_t skip = 0; skip <= letters.size(); ++skip) {
        BOOST_TEST(text_of(all.after(skip)) == letters.substr(skip));
    }
    BOOST_TEST(all.after(27).count == 0U);
}

BOOST_AUTO_TEST_CASE(a_limit_cuts_the_rest) {
    for (std::size_t skip = 0; skip <= letters.size(); ++skip) {
        for (std::size_t limit = 0; limit <= letters.size(); ++limit) {
            BOOST_TEST(text_of(all.after(skip, limit)) == letters.substr(skip, limit));
        }
    }
}

BOOST_AUTO_TEST_CASE(many_parts_are_handed_out_by_and_by) {
    std::vector<iovec> single;
    for (char& letter : letters) {
        single.push_back({&letter, 1});
    }
    const transfer_parts many(single.data(), single.size());
    const std::string first = text_of(many.after(0));
    BOOST_TEST(first.size() == 16U);
    BOOST_TEST(first + text_of(many.after(first.size())) == letters);
}

BOOST_AUTO_TEST_SUITE_END()
