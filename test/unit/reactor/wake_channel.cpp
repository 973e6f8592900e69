// SPDX-License-Identifier: BSL-1.0
#include "reactor/wake_channel.hpp"

#include "support/system_calls.hpp"

#include <boost/test/unit_test.hpp>

#include <poll.h>
#include <cerrno>
#include <string>
#include <system_error>

using coir::detail::system_calls;
using coir::detail::wake_channel;
using coir::test::failing_with;
using coir::test::replace_system_call;

namespace {

bool is_readable(const wake_channel& channel) {
    pollfd one{channel.descriptor(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wake_channels)

BOOST_AUTO_TEST_CASE(it_is_readable_from_raise_to_clear) {
    wake_channel channel;
    BOOST_TEST(!is_readable(channel));
    channel.raise();
    channel.raise();
    BOOST_TEST(is_readable(channel));
    channel.clear();
    BOOST_TEST(!is_readable(channel));
    channel.clear();  // does not block
    channel.raise();
    BOOST_TEST(is_readable(channel));
}

BOOST_AUTO_TEST_CASE(errno_is_kept) {
    wake_channel channel;
    errno = 1234;
    channel.raise();
    channel.clear();
    channel.clear();
    BOOST_TEST(errno == 1234);
}

BOOST_AUTO_TEST_CASE(an_interrupted_raise_is_repeated) {
    wake_channel channel;
    int calls = 0;
    {
        const replace_system_call<&system_calls::write> guard(
            [&](int fd, const void* data, std::size_t size) -> ssize_t {
                if (++calls == 1) {
                    errno = EINTR;
                    return -1;
                }
                return replace_system_call<&system_calls::write>::original(fd, data, size);
            });
        channel.raise();
    }
    BOOST_TEST(calls == 2);
    BOOST_TEST(is_readable(channel));
}

#ifdef __linux__
BOOST_AUTO_TEST_CASE(no_descriptors_left_is_an_error_that_names_the_limit) {
    const replace_system_call<&system_calls::eventfd> guard(failing_with(EMFILE));
    BOOST_CHECK_EXCEPTION(wake_channel(), std::system_error, [](const std::system_error& e) {
        return e.code() == std::errc::too_many_files_open &&
               std::string(e.what()).find("ulimit -n") != std::string::npos;
    });
}
#endif

BOOST_AUTO_TEST_SUITE_END()
