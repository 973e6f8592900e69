// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/test/unit_test.hpp>

#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace coir::test {

// Preconditions of test cases. The kernel looks at what it is given when it has let the caller in.
inline boost::test_tools::assertion_result has_io_uring(boost::unit_test::test_unit_id) {
    const bool refused =
        ::syscall(SYS_io_uring_setup, 0, nullptr) < 0 && errno != EFAULT && errno != EINVAL;
    boost::test_tools::assertion_result result(!refused);
    result.message() << "the kernel refuses io_uring: " << std::strerror(errno);
    return result;
}

}  // namespace coir::test
