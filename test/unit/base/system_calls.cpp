// SPDX-License-Identifier: BSL-1.0
#include "base/system_calls.hpp"

#include "base/unique_fd.hpp"
#include "support/system_calls.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstring>

using coir::detail::sys;
using coir::detail::unique_fd;
using coir::test::failing_with;

BOOST_AUTO_TEST_SUITE(system_calls)

using coir::detail::system_calls;

// Every member is a pointer, so the table can be looked at as an array of them.
BOOST_AUTO_TEST_CASE(no_entry_is_missing) {
    using entry = void (*)();
    static_assert(sizeof(system_calls) % sizeof(entry) == 0);
    std::array<entry, sizeof(system_calls) / sizeof(entry)> entries;
    std::memcpy(entries.data(), &sys, sizeof sys);
    for (const entry e : entries) {
        BOOST_TEST((e != nullptr));
    }
}

BOOST_AUTO_TEST_CASE(entries_reach_the_system) {
    int ends[2];
    BOOST_REQUIRE_EQUAL(sys.pipe2(ends, O_CLOEXEC), 0);
    const unique_fd in(ends[0]);
    const unique_fd out(ends[1]);
    BOOST_TEST((sys.fcntl(in.get(), F_GETFD, 0) & FD_CLOEXEC) != 0);
    BOOST_TEST(sys.write(out.get(), "coir", 4) == 4);
    char data[8];
    BOOST_TEST(sys.read(in.get(), data, sizeof data) == 4);
}

BOOST_AUTO_TEST_CASE(a_failure_is_in_errno) {
    errno = 0;
    BOOST_TEST(sys.close(-1) == -1);
    BOOST_TEST(errno == EBADF);
}

#ifdef __linux__
BOOST_AUTO_TEST_CASE(calls_that_go_around_libc_report_errors_as_libc_does) {
    errno = 0;
    BOOST_TEST(sys.epoll_pwait2(-1, nullptr, 1, nullptr, nullptr) == -1);
    BOOST_TEST((errno == EBADF || errno == ENOSYS));
    errno = 0;
    BOOST_TEST(sys.pidfd_open(-1, 0) == -1);
    BOOST_TEST((errno == EINVAL || errno == ENOSYS));
    errno = 0;
    BOOST_TEST(sys.process_madvise(-1, nullptr, 0, 0, 0) == -1);
    BOOST_TEST(errno != 0);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(replace_system_call)

using coir::detail::system_calls;
using coir::test::replace_system_call;

BOOST_AUTO_TEST_CASE(a_replacement_lasts_as_long_as_its_scope) {
    const auto before = sys.read;
    {
        int calls = 0;
        const replace_system_call<&system_calls::read> guard(
            [&](int, void*, std::size_t size) -> ssize_t {
                ++calls;
                return static_cast<ssize_t>(size);
            });
        BOOST_TEST(sys.read(-1, nullptr, 7) == 7);
        BOOST_TEST(calls == 1);
    }
    BOOST_TEST((sys.read == before));
}

BOOST_AUTO_TEST_CASE(scopes_nest) {
    const replace_system_call<&system_calls::listen> outer([](int, int) { return 1; });
    {
        const replace_system_call<&system_calls::listen> inner([](int, int) { return 2; });
        BOOST_TEST(sys.listen(0, 0) == 2);
    }
    BOOST_TEST(sys.listen(0, 0) == 1);
}

BOOST_AUTO_TEST_CASE(a_replacement_may_call_the_original) {
    using replace_close = replace_system_call<&system_calls::close>;
    int closed = -2;
    const replace_close guard([&](int fd) {
        closed = fd;
        return replace_close::original(fd);
    });
    BOOST_TEST(sys.close(-1) == -1);
    BOOST_TEST(closed == -1);
}

BOOST_AUTO_TEST_CASE(failing_with_sets_errno) {
    const replace_system_call<&system_calls::recv> guard(failing_with(ECONNRESET));
    errno = 0;
    BOOST_TEST(sys.recv(0, nullptr, 0, 0) == -1);
    BOOST_TEST(errno == ECONNRESET);
}

BOOST_AUTO_TEST_SUITE_END()
