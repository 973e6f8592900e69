// SPDX-License-Identifier: BSL-1.0
// What carriers do when there is no stack to be had on one of them.
#include "support/captured_log.hpp"
#include "support/system_calls.hpp"

#include <coir/async.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/task_group.hpp>

#include <sys/mman.h>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>

using coir::fiber;
using coir::fiber_options;
using coir::run;
using coir::task_group;
using coir::detail::system_calls;
using coir::test::captured_log;
using coir::test::replace_system_call;

namespace {

coir::run_options carriers(std::size_t count) {
    coir::run_options options;
    options.threads = count;
    return options;
}

// A size that no carrier has stacks of yet.
fiber_options with_new_stack_on(int carrier) {
    return fiber_options("new", 512 * 1024).on(carrier);
}

// No mapping for the threads that `refused` says.
template <class Predicate>
replace_system_call<&system_calls::mmap> refuse_mappings(Predicate refused) {
    using replace_mmap = replace_system_call<&system_calls::mmap>;
    return replace_mmap(
        [refused](void* hint, std::size_t size, int protection, int flags, int fd, off_t offset) {
            if (refused()) {
                errno = ENOMEM;
                return MAP_FAILED;
            }
            return replace_mmap::original(hint, size, protection, flags, fd, offset);
        });
}

bool is_no_memory(const std::system_error& e) { return e.code() == std::errc::not_enough_memory; }

}  // namespace

BOOST_AUTO_TEST_SUITE(exhaustion_on_carriers)

BOOST_AUTO_TEST_CASE(a_run_without_a_stack_on_its_own_carrier_ends_the_others_and_throws) {
    const auto refuse = refuse_mappings(
        [self = std::this_thread::get_id()] { return std::this_thread::get_id() == self; });
    bool ran = false;
    BOOST_CHECK_EXCEPTION(run(carriers(3), [&] { ran = true; }), std::system_error, is_no_memory);
    BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_CASE(a_run_without_a_stack_on_another_carrier_ends_the_rest_and_throws) {
    const auto refuse = refuse_mappings(
        [self = std::this_thread::get_id()] { return std::this_thread::get_id() != self; });
    bool ran = false;
    BOOST_CHECK_EXCEPTION(run(carriers(3), [&] { ran = true; }), std::system_error, is_no_memory);
    BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_CASE(a_task_that_gets_no_stack_on_another_carrier_fails_there_and_nowhere_else) {
    std::atomic<bool> full{false};
    const auto refuse = refuse_mappings([&] { return full.load(); });
    const captured_log log;
    run(carriers(2), [&] {
        full = true;
        auto lost = coir::async(with_new_stack_on(1), [] { return 1; });
        BOOST_CHECK_EXCEPTION(lost.get(), std::system_error, is_no_memory);

        task_group group;
        for (int i = 0; i < 20; ++i) {
            group.spawn(with_new_stack_on(1), [] {});
        }
        BOOST_CHECK_EXCEPTION(group.join(), std::system_error, is_no_memory);
        BOOST_TEST(group.size() == 0U);

        fiber handle(with_new_stack_on(1), [] {});
        BOOST_CHECK_EXCEPTION(handle.join(), std::system_error, is_no_memory);
        full = false;
        BOOST_TEST(coir::async(with_new_stack_on(1), [] { return 1; }).get() == 1);
    });
    BOOST_TEST(log.messages() == 19U);  // all of the group but the first
}

BOOST_AUTO_TEST_CASE(a_detached_fiber_that_gets_no_stack_on_another_carrier_is_logged_once) {
    std::atomic<bool> full{false};
    const auto refuse = refuse_mappings([&] { return full.load(); });
    const captured_log log;
    run(carriers(2), [&] {
        full = true;
        fiber(with_new_stack_on(1), [] {}).detach();
        fiber(fiber_options("follows").on(1), [] {}).join();
        full = false;
    });
    BOOST_TEST(log.messages() == 1U);
    BOOST_TEST(log.has("fiber 'new'"));
}

BOOST_AUTO_TEST_SUITE_END()
