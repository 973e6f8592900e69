// SPDX-License-Identifier: BSL-1.0
// What others can tell of a carrier: whether it gets on.
#include "core/scheduler.hpp"
#include "support/fiber_test.hpp"

#include <coir/detail/interposition.hpp>
#include <coir/fiber.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace {

using coir::fiber;
using coir::detail::progress_of;
using coir::detail::scheduler;
using coir::detail::who_runs;
using std::chrono::milliseconds;

std::uint32_t turns() { return progress_of(*coir::detail::calling_carrier()).turns; }

// Tells what is seen of the carrier whenever it waits in its poller.
class looking_idle_source final : public coir::detail::idle_source {
public:
    explicit looking_idle_source(coir::detail::virtual_clock& time) noexcept : time_(time) {}

    void wait(coir::deadline until) noexcept override {
        if (until.time() > time_.now()) {
            asleep = progress_of(*scheduler::current()).asleep;
            runs_in_poller = who_runs().id;
            time_.advance_by(until.time() - time_.now());
        }
    }
    void wake() noexcept override {}

    bool asleep = false;
    std::uint64_t runs_in_poller = 0;

private:
    coir::detail::virtual_clock& time_;
};

const scheduler* begun = nullptr;
const scheduler* ended = nullptr;
std::uint64_t fiber_at_the_begin = 0;

}  // namespace

BOOST_AUTO_TEST_SUITE(carrier_progress)

FIBER_TEST_CASE(a_carrier_makes_no_turn_while_one_fiber_runs) {
    const std::uint32_t before = turns();
    fiber other([] {});
    BOOST_TEST(turns() == before);
    other.join();
    BOOST_TEST(turns() > before);
}

FIBER_TEST_CASE(it_makes_one_at_least_whenever_a_fiber_stops_running) {
    std::uint32_t last = turns();
    for (int i = 0; i < 300; ++i) {
        coir::this_fiber::yield();
        BOOST_TEST(turns() > last);
        last = turns();
    }
    fiber other([&] {
        BOOST_TEST(turns() > last);
        last = turns();
    });
    coir::this_fiber::sleep_for(milliseconds(1));
    BOOST_TEST(turns() > last);
}

FIBER_TEST_CASE(a_fiber_knows_its_own_name_and_number) {
    BOOST_TEST(who_runs().name == std::string_view("main"));
    BOOST_TEST(who_runs().turns == turns());
    const std::uint64_t mine = who_runs().id;
    fiber named({"other"}, [&] {
        BOOST_TEST(who_runs().name == std::string_view("other"));
        BOOST_TEST(who_runs().id != mine);
    });
    named.join();
    fiber unnamed([] { BOOST_TEST(who_runs().name == std::string_view()); });
    unnamed.join();
}

BOOST_AUTO_TEST_CASE(nobody_runs_on_a_plain_thread) {
    BOOST_TEST(who_runs().id == 0U);
    BOOST_TEST(coir::detail::calling_carrier() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_carrier_that_waits_in_its_poller_is_asleep_and_no_fiber_runs) {
    coir::detail::virtual_clock time;
    const coir::detail::clock_scope current(time);
    looking_idle_source idle(time);
    scheduler fibers({}, idle);
    const auto body = [&] {
        BOOST_TEST(!progress_of(*scheduler::current()).asleep);
        coir::this_fiber::sleep_for(milliseconds(1));
        BOOST_TEST(!progress_of(*scheduler::current()).asleep);
    };
    fibers.run_main(body);
    BOOST_TEST(idle.asleep);
    BOOST_TEST(idle.runs_in_poller == 0U);
}

BOOST_AUTO_TEST_CASE(the_begin_and_the_end_of_a_carrier_are_told) {
    coir::detail::call_for_carriers(
        [](const scheduler& carrier) noexcept {
            begun = &carrier;
            fiber_at_the_begin = who_runs().id;
        },
        [](const scheduler& carrier) noexcept { ended = &carrier; });
    const scheduler* carrier = nullptr;
    coir::detail::virtual_clock time;
    const coir::detail::clock_scope current(time);
    looking_idle_source idle(time);
    scheduler fibers({}, idle);
    const auto body = [&] {
        carrier = scheduler::current();
        BOOST_TEST(begun == carrier);
        BOOST_TEST(fiber_at_the_begin == 0U);
        BOOST_TEST(ended == nullptr);
    };
    fibers.run_main(body);
    coir::detail::call_for_carriers(nullptr, nullptr);
    BOOST_TEST(ended == carrier);
}

BOOST_AUTO_TEST_SUITE_END()
