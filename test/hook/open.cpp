// SPDX-License-Identifier: BSL-1.0
// To open a FIFO: it waits for the other end, in a fiber without its thread; and all else is
// libc's.
#include "hook/callers.hpp"
#include "hook/scopes.hpp"
#include "hook/signals.hpp"
#include "hook/streams.hpp"
#include "support/temporary.hpp"

#include <coir/cancellation.hpp>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <fstream>
#include <ostream>
#include <string>

extern "C" int __open_2(const char* name, int flags);
extern "C" int __open64_2(const char* name, int flags);
extern "C" int __openat_2(int folder, const char* name, int flags);
extern "C" int __openat64_2(int folder, const char* name, int flags);

namespace coir::test {

class fifo {
public:
    fifo() { must(::mkfifo(name_.c_str(), 0600) == 0); }

    const char* name() const { return name_.c_str(); }
    int folder() const { return descriptor_.get(); }

    bool has_reader() const {
        const unique_fd end(::open(name(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
        return static_cast<bool>(end);
    }
    bool has_writer() const {
        const unique_fd end(::open(name(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        char letter = 0;
        return ::read(end.get(), &letter, 1) != 0;
    }

private:
    const temporary_folder folder_;
    const std::string name_ = folder_.path() + "/fifo";
    const unique_fd descriptor_{::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

}  // namespace coir::test

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

// Opens it, has a letter pass, and lets go of it. -1: errno tells why it could not be opened.
struct passing {
    const char* name;
    int (*make)(const fifo& f);
};
std::ostream& operator<<(std::ostream& out, const passing& p) { return out << p.name; }

int receive(int fd) {
    const unique_fd end(fd);
    char letter = 0;
    return !end ? -1 : ::read(end.get(), &letter, 1) == 1 && letter == 'x' ? 0 : 1;
}
int receive(FILE* stream) {
    return stream == nullptr ? -1 : ::fgetc(stream) != 'x' || ::fclose(stream) != 0 ? 1 : 0;
}
int deliver(int fd) {
    const unique_fd end(fd);
    return !end ? -1 : ::write(end.get(), "x", 1) == 1 ? 0 : 1;
}
int deliver(FILE* stream) {
    return stream == nullptr ? -1 : ::fputc('x', stream) != 'x' || ::fclose(stream) != 0 ? 1 : 0;
}

FILE* some_stream(const char* mode) { return ::fopen("/dev/null", mode); }

// A stream that could not be opened anew is closed, and still there.
FILE* opened_anew(const fifo& f, const char* mode,
                  FILE* (*reopen)(const char* name, const char* mode, FILE* stream)) {
    FILE* const stream = some_stream(mode);
    FILE* const result = reopen(f.name(), mode, stream);
    if (result == nullptr) {
        const int error = errno;
        ::fclose(stream);
        errno = error;
    }
    return result;
}

const passing readers[] = {
    {"open",
     [](const fifo& f) {
         return receive(::open(f.name(), O_RDONLY | O_CLOEXEC));
     }},
    {"open64",
     [](const fifo& f) {
         return receive(::open64(f.name(), O_RDONLY));
     }},
    {"open with O_CREAT",
     [](const fifo& f) {
         return receive(::open(f.name(), O_RDONLY | O_CREAT, 0600));
     }},
    {"openat",
     [](const fifo& f) {
         return receive(::openat(f.folder(), "fifo", O_RDONLY));
     }},
    {"openat64",
     [](const fifo& f) {
         return receive(::openat64(f.folder(), "fifo", O_RDONLY));
     }},
    {"__open_2",
     [](const fifo& f) {
         return receive(::__open_2(f.name(), O_RDONLY));
     }},
    {"__openat_2",
     [](const fifo& f) {
         return receive(::__openat_2(f.folder(), "fifo", O_RDONLY));
     }},
    {"fopen",
     [](const fifo& f) {
         return receive(::fopen(f.name(), "re"));
     }},
    {"freopen",
     [](const fifo& f) {
         return receive(opened_anew(f, "r", ::freopen));
     }},
};

const passing writers[] = {
    {"open",
     [](const fifo& f) {
         return deliver(::open(f.name(), O_WRONLY | O_NOFOLLOW));
     }},
    {"creat",
     [](const fifo& f) {
         return deliver(::creat(f.name(), 0600));
     }},
    {"creat64",
     [](const fifo& f) {
         return deliver(::creat64(f.name(), 0600));
     }},
    {"openat",
     [](const fifo& f) {
         return deliver(::openat(f.folder(), "fifo", O_WRONLY));
     }},
    {"__open64_2",
     [](const fifo& f) {
         return deliver(::__open64_2(f.name(), O_WRONLY));
     }},
    {"__openat64_2",
     [](const fifo& f) {
         return deliver(::__openat64_2(f.folder(), "fifo", O_WRONLY));
     }},
    {"fopen",
     [](const fifo& f) {
         return deliver(::fopen(f.name(), "w"));
     }},
    {"fopen64",
     [](const fifo& f) {
         return deliver(::fopen64(f.name(), "a"));
     }},
    {"freopen64",
     [](const fifo& f) {
         return deliver(opened_anew(f, "w", ::freopen64));
     }},
    {"a stream of C++",
     [](const fifo& f) {
         std::ofstream out(f.name());
         if (!out.is_open()) {
             return -1;
         }
         out << 'x';
         return 0;
     }},
};

// What a descriptor is: flags of its own, and of what is open.
std::string told(int fd) {
    return std::to_string(::fcntl(fd, F_GETFL)) + " " + std::to_string(::fcntl(fd, F_GETFD));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hooked_open)

BOOST_DATA_TEST_CASE(two_fibers_meet_at_a_fifo,
                     data::make(readers) * data::make(writers) * data::make({true, false}), reader,
                     writer, reader_is_first) {
    const time_bomb bomb;
    const fifo f;
    coir::run([&] {
        const auto read = [&] {
            BOOST_TEST(reader.make(f) == 0);
        };
        const auto write = [&] {
            BOOST_TEST(writer.make(f) == 0);
        };
        coir::fiber first = reader_is_first ? coir::fiber(read) : coir::fiber(write);
        ::usleep(1'000);
        coir::fiber second = reader_is_first ? coir::fiber(write) : coir::fiber(read);
        first.join();
        second.join();
    });
}

BOOST_AUTO_TEST_CASE(a_writer_is_noticed_that_writes_nothing) {
    const time_bomb bomb;
    const fifo f;
    coir::run([&] {
        unique_fd end;
        coir::fiber reader([&] { end = unique_fd(::open(f.name(), O_RDONLY)); });
        ::usleep(1'000);
        BOOST_TEST(!end);
        const unique_fd writer(::open(f.name(), O_WRONLY));
        BOOST_TEST(!!writer);
        reader.join();
        BOOST_TEST(!!end);
    });
}

BOOST_AUTO_TEST_CASE(a_writer_is_noticed_that_has_gone) {
    const time_bomb bomb;
    const fifo f;
    coir::run([&] {
        unique_fd end;
        coir::fiber reader([&] { end = unique_fd(::open(f.name(), O_RDONLY)); });
        ::usleep(20'000);
        BOOST_TEST(!end);
        unique_fd(::open(f.name(), O_WRONLY)).reset();
        reader.join();
        char letter = 0;
        BOOST_TEST(::read(end.get(), &letter, 1) == 0);
    });
}

// A hundred would take as many threads of the blocking pool.
BOOST_AUTO_TEST_CASE(many_fibers_wait_at_once) {
    const time_bomb bomb;
    const fifo f;
    coir::run([&] {
        std::vector<coir::fiber> waiting;
        for (int i = 0; i < 200; ++i) {
            waiting.emplace_back([&] { BOOST_TEST(!!unique_fd(::open(f.name(), O_RDONLY))); });
        }
        ::usleep(1'000);
        const unique_fd writer(::open(f.name(), O_WRONLY));
        for (coir::fiber& one : waiting) {
            one.join();
        }
    });
}

BOOST_DATA_TEST_CASE(scopes_end_the_wait_of_a_reader, data::make(readers), reader) {
    const fifo f;
    check_scopes_reach_into([&] { return reader.make(f); });
    BOOST_TEST(!f.has_reader());
    BOOST_TEST(!f.has_writer());
}

BOOST_DATA_TEST_CASE(scopes_end_the_wait_of_a_writer, data::make(writers), writer) {
    const fifo f;
    check_scopes_reach_into([&] { return writer.make(f); });
    BOOST_TEST(!f.has_reader());
    BOOST_TEST(!f.has_writer());
}

BOOST_AUTO_TEST_CASE(freopen_closes_its_stream_also_if_a_scope_ends_it) {
    const fifo f;
    coir::run([&] {
        FILE* const stream = some_stream("r");
        const int fd = ::fileno(stream);
        BOOST_CHECK_THROW(coir::with_timeout(std::chrono::milliseconds(5),
                                             [&] {
                                                 BOOST_TEST(!::freopen(f.name(), "r", stream));
                                                 BOOST_TEST(errno == ETIMEDOUT);
                                             }),
                          coir::timed_out);
        BOOST_TEST(::fcntl(fd, F_GETFD) == -1);
        ::fclose(stream);
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_scope_opens_files_and_no_fifo) {
    const fifo f;
    coir::run([&] {
        coir::cancel_scope scope;
        scope.run([&] {
            scope.cancel();
            BOOST_TEST(!!unique_fd(::open("/dev/null", O_RDONLY)));
            BOOST_TEST(!!unique_fd(::open(f.name(), O_RDWR)));
            BOOST_TEST(!!unique_fd(::open(f.name(), O_RDONLY | O_NONBLOCK)));
            BOOST_TEST(::open(f.name(), O_RDONLY) == -1);
            BOOST_TEST(errno == ECANCELED);
        });
    });
}

BOOST_AUTO_TEST_CASE(a_fifo_is_opened_as_by_libc) {
    check_law([](const posix_calls&, transcript& t) {
        const fifo f;
        for (const int flags : {O_RDONLY, O_RDONLY | O_CLOEXEC, O_WRONLY, O_WRONLY | O_APPEND,
                                O_WRONLY | O_TRUNC | O_CREAT, O_RDONLY | O_NOFOLLOW}) {
            const int opposite = (flags & O_ACCMODE) == O_RDONLY ? O_WRONLY : O_RDONLY;
            unique_fd other;
            const auto opened = transcript::clock::now() + later::a_while;
            const later peer([&] { other = unique_fd(::open(f.name(), opposite)); });
            unique_fd end;
            t.call_until(opened, "open", [&] {
                end = unique_fd(::open(f.name(), flags, 0600));
                return end ? 0 : -1;
            });
            t.add(told(end.get()));
        }
        for (const int flags : {O_RDWR, O_RDONLY | O_NONBLOCK, O_WRONLY | O_NONBLOCK,
                                O_WRONLY | O_CREAT | O_EXCL, O_RDONLY | O_DIRECTORY, O_PATH}) {
            unique_fd end;
            t.call("open that does not wait", [&] {
                end = unique_fd(::open(f.name(), flags, 0600));
                return end ? 0 : -1;
            });
            t.add(told(end.get()));
        }
    });
}

BOOST_AUTO_TEST_CASE(all_else_is_opened_as_by_libc) {
    check_law([](const posix_calls&, transcript& t) {
        const temporary_folder folder;
        const std::string file = folder.path() + "/file";
        const auto tell = [&](const char* what, int fd) {
            const int error = errno;
            const unique_fd opened(fd);
            t.add(std::string(what) +
                  (opened ? " " + told(fd) : " fails: " + std::to_string(error)));
        };
        tell("a file that is not there", ::open(file.c_str(), O_RDONLY));
        tell("a new file", ::open(file.c_str(), O_WRONLY | O_CREAT, 0640));
        struct stat status {};
        must(::stat(file.c_str(), &status) == 0);
        t.add(std::to_string(status.st_mode));
        tell("a file", ::open(file.c_str(), O_RDONLY));
        tell("a file with O_EXCL", ::open(file.c_str(), O_RDONLY | O_CREAT | O_EXCL, 0600));
        tell("a file without a name", ::open(folder.path().c_str(), O_WRONLY | O_TMPFILE, 0600));
        tell("a folder", ::open(folder.path().c_str(), O_RDONLY));
        tell("a folder to write", ::open(folder.path().c_str(), O_WRONLY));
        tell("nothing", ::open("", O_RDONLY));
        tell("no folder", ::openat(-1, "file", O_RDONLY));
        must(::symlink("nowhere", (folder.path() + "/link").c_str()) == 0);
        tell("a link to nowhere", ::open((folder.path() + "/link").c_str(), O_RDONLY));
        tell("a link", ::open((folder.path() + "/link").c_str(), O_RDONLY | O_NOFOLLOW));
    });
}

BOOST_DATA_TEST_CASE(a_signal_ends_the_wait_as_with_libc,
                     data::make({0, SA_RESTART}) * data::make({O_RDONLY, O_WRONLY}), how, flags) {
    check_law([&](const posix_calls&, transcript& t) {
        const with_handler handler(SIGUSR1, count_handled, how);
        const fifo f;
        unique_fd other;
        {
            const pesterer signals(::pthread_self(), SIGUSR1,
                                   [&] { other = unique_fd(::open(f.name(), O_RDWR)); });
            unique_fd end;
            t.call("open", [&] {
                end = unique_fd(::open(f.name(), flags));
                return end ? 0 : -1;
            });
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
