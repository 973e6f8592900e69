// SPDX-License-Identifier: BSL-1.0
// Goal: a select makes exactly one of its cases happen, or none if a deadline or a cancellation
// ends it: whatever is offered to several channels goes to one of them or stays, and nothing is
// taken for a case that was not chosen. Method: as for channels, with selects among the plain
// calls, which offer one value to both channels and receive as well, perhaps from the channel that
// they send to.
#include "support/fiber_test.hpp"
#include "support/law_seed.hpp"
#include "unit/sync/post_office.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using coir::test::calls;
using coir::test::law_seed;
using coir::test::post_office;

BOOST_AUTO_TEST_SUITE(select_laws)

FIBER_DATA_TEST_CASE(a_select_takes_and_gives_for_the_chosen_case_alone,
                     boost::unit_test::data::xrange(40), int, sample) {
    const unsigned seed = law_seed(sample);
    BOOST_TEST_CONTEXT("COIR_TEST_SEED=" << seed) {
        post_office(seed, calls::plain_and_selects).run();
    }
}

BOOST_AUTO_TEST_SUITE_END()
