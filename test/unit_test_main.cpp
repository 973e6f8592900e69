// SPDX-License-Identifier: BSL-1.0
// The main() of every Boost.Test program.
#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#ifdef COIR_HAS_IO_URING
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#endif

namespace {

constexpr int skipped = 77;

// Why the backend that the environment names cannot be tested here; empty if it can.
std::string reason_to_skip() {
    const char* const reactor = std::getenv("COIR_REACTOR");
    if (reactor == nullptr || reactor != std::string_view("io_uring")) {
        return {};
    }
#ifdef COIR_HAS_IO_URING
    // io_uring_setup(2) looks at its arguments when it has let the caller in.
    if (::syscall(SYS_io_uring_setup, 0, nullptr) < 0 && errno != EFAULT && errno != EINVAL) {
        return std::string("the kernel refuses io_uring: ") + std::strerror(errno);
    }
    return {};
#else
    return "coir was built without io_uring";
#endif
}

bool name_after_program() {
    auto& all = boost::unit_test::framework::master_test_suite();
    const std::string path = all.argv[0];
    all.p_name.value = path.substr(path.rfind('/') + 1);
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (const std::string reason = reason_to_skip(); !reason.empty()) {
        std::printf("skipped: %s\n", reason.c_str());
        return skipped;
    }
    return boost::unit_test::unit_test_main(name_after_program, argc, argv);
}
