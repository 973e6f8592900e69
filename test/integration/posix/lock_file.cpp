// SPDX-License-Identifier: BSL-1.0
#include "integration/posix/law.hpp"
#include "support/child_process.hpp"
#include "support/temporary.hpp"

#include <boost/test/unit_test.hpp>

using namespace coir::test;

namespace {

struct flock whole_file(short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

// The same file, opened once more.
unique_fd opened_again(const unique_fd& file) {
    const std::string path = "/proc/self/fd/" + std::to_string(file.get());
    return unique_fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
}

// Another process, which locks a file, and lets go of it after a while.
class other_process {
public:
    static constexpr milliseconds holds_it{100};

    explicit other_process(const unique_fd& file)
        : locked_(pipe_ends()), child_(child_process([&] {
              struct flock lock = whole_file(F_WRLCK);
              const int failed = ::fcntl(file.get(), F_SETLK, &lock);
              static_cast<void>(!::write(locked_.b.get(), "x", 1));
              std::this_thread::sleep_for(holds_it);
              return failed;
          })) {
        char letter = 0;
        must(::read(locked_.a.get(), &letter, 1) == 1);
    }
    other_process(const other_process&) = delete;
    other_process& operator=(const other_process&) = delete;
    ~other_process() { ::waitpid(child_, nullptr, 0); }

private:
    descriptor_pair locked_;
    pid_t child_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(posix_lock_file)

BOOST_AUTO_TEST_CASE(flock_waits_until_the_lock_is_free) {
    check_law([](const posix_calls& c, transcript& t) {
        const unique_fd mine = temporary_file();
        const unique_fd theirs = opened_again(mine);
        t.call("a free lock", [&] { return c.flock(theirs.get(), LOCK_EX); });
        t.call("a taken one, at once", [&] { return c.flock(mine.get(), LOCK_SH | LOCK_NB); });
        {
            const auto free = transcript::clock::now() + later::a_while;
            const later unlock([&] { ::flock(theirs.get(), LOCK_UN); });
            t.call_until(free, "a taken one", [&] { return c.flock(mine.get(), LOCK_EX); });
        }
        t.call("mine", [&] { return c.flock(mine.get(), LOCK_EX); });
        t.call("theirs", [&] { return c.flock(theirs.get(), LOCK_EX | LOCK_NB); });
        t.call("to share", [&] { return c.flock(mine.get(), LOCK_SH); });
        t.call("shared", [&] { return c.flock(theirs.get(), LOCK_SH); });
        t.call("unlock", [&] { return c.flock(mine.get(), LOCK_UN); });
        t.call("unlock at once", [&] { return c.flock(theirs.get(), LOCK_UN | LOCK_NB); });
        t.call("no descriptor", [&] { return c.flock(-1, LOCK_EX); });
        t.call("no operation", [&] { return c.flock(mine.get(), 1234); });
    });
}

BOOST_AUTO_TEST_CASE(lockf_waits_until_the_lock_is_free) {
    check_law([](const posix_calls& c, transcript& t) {
        const unique_fd file = temporary_file();
        {
            const auto free = transcript::clock::now() + other_process::holds_it;
            const other_process other(file);
            t.call("test", [&] { return c.lockf(file.get(), F_TEST, 0); });
            t.call("try", [&] { return c.lockf(file.get(), F_TLOCK, 0); });
            t.call_until(free, "lock", [&] { return c.lockf(file.get(), F_LOCK, 0); });
        }
        t.call("again", [&] { return c.lockf(file.get(), F_LOCK, 10); });
        t.call("unlock", [&] { return c.lockf(file.get(), F_ULOCK, 0); });
        t.call("no descriptor", [&] { return c.lockf(-1, F_LOCK, 0); });
        t.call("no command", [&] { return c.lockf(file.get(), 1234, 0); });
    });
}

BOOST_AUTO_TEST_CASE(fcntl_waits_until_the_lock_is_free) {
    check_law([](const posix_calls& c, transcript& t) {
        const unique_fd file = temporary_file();
        struct flock lock = whole_file(F_WRLCK);
        for (const int command : {F_SETLKW, F_OFD_SETLKW}) {
            const auto free = transcript::clock::now() + other_process::holds_it;
            const other_process other(file);
            const int at_once = command == F_SETLKW ? F_SETLK : F_OFD_SETLK;
            t.call("try", [&] { return c.fcntl(file.get(), at_once, &lock); });
            t.call_until(free, "lock", [&] { return c.fcntl(file.get(), command, &lock); });
            lock.l_type = F_UNLCK;
            t.call("unlock", [&] { return c.fcntl(file.get(), command, &lock); });
            lock.l_type = F_WRLCK;
        }
        t.call("no descriptor", [&] { return c.fcntl(-1, F_SETLKW, &lock); });
        lock.l_type = 77;
        t.call("no lock", [&] { return c.fcntl(file.get(), F_SETLKW, &lock); });
    });
}

BOOST_AUTO_TEST_CASE(whatever_else_fcntl_does_is_libcs) {
    check_law([](const posix_calls& c, transcript& t) {
        const auto pipe = pipe_ends();
        const int fd = pipe.a.get();
        t.call("F_GETFD", [&] { return c.fcntl(fd, F_GETFD); });
        t.call("F_SETFD", [&] { return c.fcntl(fd, F_SETFD, 0); });
        t.call("F_GETFD", [&] { return c.fcntl(fd, F_GETFD); });
        t.call("F_SETFL", [&] { return c.fcntl(fd, F_SETFL, O_NONBLOCK); });
        t.call("F_GETFL", [&] { return c.fcntl(fd, F_GETFL) & O_NONBLOCK; });
        t.call("F_DUPFD", [&] {
            const unique_fd copy(c.fcntl(fd, F_DUPFD_CLOEXEC, 200));
            return copy.get() >= 200 ? 0 : -1;
        });
        t.call("F_SETPIPE_SZ", [&] { return c.fcntl(fd, F_SETPIPE_SZ, 8'192); });
        t.call("no such command", [&] { return c.fcntl(fd, 12'345, 0); });
    });
}

BOOST_AUTO_TEST_SUITE_END()
