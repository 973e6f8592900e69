// SPDX-License-Identifier: BSL-1.0
// libc's own names, in fibers. That they answer as libc does is in test/integration/posix.
#include "hook/overlap.hpp"
#include "hook/scopes.hpp"
#include "support/child_process.hpp"
#include "support/descriptors.hpp"
#include "support/temporary.hpp"

#include <coir/cancellation.hpp>

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

int lock_with(int fd, int command) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return ::fcntl(fd, command, &lock);
}

struct locking_call {
    const char* name;
    int (*make)(int fd);
};
std::ostream& operator<<(std::ostream& out, const locking_call& call) { return out << call.name; }

const locking_call locking_calls[] = {
    {"flock",
     [](int fd) {
         return ::flock(fd, LOCK_EX);
     }},
    {"flock to share",
     [](int fd) {
         return ::flock(fd, LOCK_SH);
     }},
    {"lockf",
     [](int fd) {
         return ::lockf(fd, F_LOCK, 0);
     }},
    {"lockf64",
     [](int fd) {
         return ::lockf64(fd, F_LOCK, 0);
     }},
    {"F_SETLKW",
     [](int fd) {
         return lock_with(fd, F_SETLKW);
     }},
    {"F_OFD_SETLKW",
     [](int fd) {
         return lock_with(fd, F_OFD_SETLKW);
     }},
};

// A file that another process has locked, in both ways, for two seconds or until this one ends.
class locked_file {
public:
    locked_file() : file_(temporary_file()) {
        const pipe_ends locked;
        child_ = child_process([&] {
            const std::string path = "/proc/self/fd/" + std::to_string(file_.get());
            const int fd = ::open(path.c_str(), O_RDWR);
            const int failed = ::flock(fd, LOCK_EX) + lock_with(fd, F_SETLK);
            put(locked.write);
            ::usleep(2'000'000);
            return failed;
        });
        pollfd one{locked.read.get(), POLLIN, 0};
        BOOST_REQUIRE(::poll(&one, 1, 10'000) == 1);
    }
    locked_file(const locked_file&) = delete;
    locked_file& operator=(const locked_file&) = delete;
    ~locked_file() { release(); }

    int get() const { return file_.get(); }
    void release() {
        if (child_ != 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
            child_ = 0;
        }
    }

private:
    coir::detail::unique_fd file_;
    pid_t child_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(hooked_file_locks)

BOOST_DATA_TEST_CASE(who_waits_for_a_lock_leaves_the_thread_to_others, data::make(locking_calls),
                     call) {
    locked_file file;
    int under_way = 0;
    coir::run([&] {
        std::vector<coir::fiber> fibers;
        for (int i = 0; i < 10; ++i) {
            fibers.emplace_back([&] {
                ++under_way;
                BOOST_TEST(call.make(file.get()) == 0);
                --under_way;
            });
        }
        ::usleep(100'000);
        BOOST_TEST(under_way == 10);
        file.release();
        for (coir::fiber& one : fibers) {
            one.join();
        }
    });
}

BOOST_DATA_TEST_CASE(scopes_end_the_wait_for_a_lock, data::make(locking_calls), call) {
    const locked_file file;
    check_scopes_reach_into([&] { return call.make(file.get()); });
}

BOOST_AUTO_TEST_CASE(what_is_locked_can_be_unlocked_in_a_cancelled_scope) {
    coir::run([] {
        const coir::detail::unique_fd file = temporary_file();
        BOOST_TEST(::flock(file.get(), LOCK_EX) == 0);
        coir::cancel_scope scope;
        scope.run([&] {
            scope.cancel();
            BOOST_TEST(::flock(file.get(), LOCK_EX) == -1);
            BOOST_TEST(errno == ECANCELED);
            BOOST_TEST(::flock(file.get(), LOCK_UN) == 0);
            BOOST_TEST(::lockf(file.get(), F_ULOCK, 0) == 0);
            BOOST_TEST(::fcntl(file.get(), F_GETFD) == FD_CLOEXEC);
        });
    });
}

BOOST_AUTO_TEST_SUITE_END()
