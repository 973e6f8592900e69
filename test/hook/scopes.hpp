// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>

namespace coir::test {

// Checks that a call which would wait for two seconds or so is ended by a cancellation and by a
// deadline, and says which. It returns -1 if it fails.
template <class Call>
void check_scopes_reach_into(Call call) {
    const std::chrono::milliseconds soon(20);
    coir::run([&] {
        const auto check_fails_with = [&](int error) {
            errno = 0;
            BOOST_TEST(call() == -1);
            BOOST_TEST(errno == error);
        };
        bool returned = false;
        coir::fiber waiter([&] {
            check_fails_with(ECANCELED);
            returned = true;
        });
        coir::this_fiber::sleep_for(soon);
        waiter.cancel();
        waiter.join();
        BOOST_TEST(returned);
        BOOST_CHECK_THROW(coir::with_timeout(soon, [&] { check_fails_with(ETIMEDOUT); }),
                          coir::timed_out);
    });
}

}  // namespace coir::test
