// SPDX-License-Identifier: BSL-1.0
// Files on disk with COIR_HOOK=files: what each call gives is as libc has it, and who waits for the
// disk is a thread of the pool.
#include "support/temporary.hpp"

#include <coir/blocking_pool.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <array>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using coir::detail::unique_fd;
using coir::test::temporary_file;
namespace data = boost::unit_test::data;

namespace {

// What a call has given, and errno; where it fails, errno alone is libc's to set.
struct outcome {
    ssize_t result;
    int error;
    friend bool operator==(const outcome&, const outcome&) noexcept = default;
    friend std::ostream& operator<<(std::ostream& out, const outcome& o) {
        return out << o.result << " (errno " << o.error << ')';
    }
};

using file_call = outcome (*)(int fd, std::string& seen);

template <class Call>
outcome outcome_of(Call call) {
    errno = 4711;
    const ssize_t result = call();
    return {result, errno};
}

constexpr std::size_t size = 10'000;

std::string contents() {
    std::string text(size, ' ');
    std::iota(text.begin(), text.end(), '\0');
    return text;
}

unique_fd filled_file() {
    unique_fd file = temporary_file();
    const std::string text = contents();
    BOOST_REQUIRE(::write(file.get(), text.data(), size) == ssize_t(size));
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

// The file's pages are on the disk, and no longer in memory, where the file system can do that.
void forget_pages(int fd) {
    ::fsync(fd);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

template <std::size_t First, std::size_t Second>
struct two_parts {
    std::array<char, First> first{};
    std::array<char, Second> second{};
    std::array<iovec, 2> parts{{{first.data(), First}, {second.data(), Second}}};
    std::string text() const {
        return std::string(first.begin(), first.end()) + std::string(second.begin(), second.end());
    }
};

constexpr const char* names[] = {"read",
                                 "read over the end",
                                 "read at the end",
                                 "read nothing",
                                 "readv",
                                 "readv of no parts",
                                 "readv of too many",
                                 "pread",
                                 "pread over the end",
                                 "pread before the beginning",
                                 "preadv",
                                 "preadv2 of where it stands",
                                 "preadv2 with a flag",
                                 "write",
                                 "append",
                                 "writev",
                                 "pwrite",
                                 "pwritev",
                                 "pwritev2 of where it stands",
                                 "pwrite before the beginning",
                                 "copy_file_range",
                                 "fsync",
                                 "fdatasync",
                                 "syncfs",
                                 "sync_file_range"};

constexpr file_call calls[] = {
    [](int fd, std::string& seen) {
        seen.resize(5000);
        return outcome_of([&] { return ::read(fd, seen.data(), 5000); });
    },
    [](int fd, std::string& seen) {
        seen.resize(2 * size);
        return outcome_of([&] { return ::read(fd, seen.data(), 2 * size); });
    },
    [](int fd, std::string& seen) {
        ::lseek(fd, 0, SEEK_END);
        seen.resize(10);
        return outcome_of([&] { return ::read(fd, seen.data(), 10); });
    },
    [](int fd, std::string&) { return outcome_of([&] { return ::read(fd, nullptr, 0); }); },
    [](int fd, std::string& seen) {
        two_parts<100, 7000> p;
        const outcome o = outcome_of([&] { return ::readv(fd, p.parts.data(), 2); });
        seen = p.text();
        return o;
    },
    [](int fd, std::string&) { return outcome_of([&] { return ::readv(fd, nullptr, 0); }); },
    [](int fd, std::string&) {
        const std::vector<iovec> parts(2000);
        return outcome_of([&] { return ::readv(fd, parts.data(), 2000); });
    },
    [](int fd, std::string& seen) {
        seen.resize(5000);
        return outcome_of([&] { return ::pread(fd, seen.data(), 5000, 77); });
    },
    [](int fd, std::string& seen) {
        seen.resize(5000);
        return outcome_of([&] { return ::pread(fd, seen.data(), 5000, size - 9); });
    },
    [](int fd, std::string& seen) {
        seen.resize(1);
        return outcome_of([&] { return ::pread(fd, seen.data(), 1, -1); });
    },
    [](int fd, std::string& seen) {
        two_parts<4097, 2> p;
        const outcome o = outcome_of([&] { return ::preadv(fd, p.parts.data(), 2, 3); });
        seen = p.text();
        return o;
    },
    [](int fd, std::string& seen) {
        two_parts<4097, 2> p;
        const outcome o = outcome_of([&] { return ::preadv2(fd, p.parts.data(), 2, -1, 0); });
        seen = p.text();
        return o;
    },
    [](int fd, std::string& seen) {
        two_parts<4097, 2> p;
        const outcome o =
            outcome_of([&] { return ::preadv2(fd, p.parts.data(), 2, 5, RWF_HIPRI); });
        seen = p.text();
        return o;
    },
    [](int fd, std::string&) { return outcome_of([&] { return ::write(fd, "abc", 3); }); },
    [](int fd, std::string&) {
        ::fcntl(fd, F_SETFL, O_APPEND);
        return outcome_of([&] { return ::write(fd, "abc", 3); });
    },
    [](int fd, std::string&) {
        two_parts<3, 5000> p;
        return outcome_of([&] { return ::writev(fd, p.parts.data(), 2); });
    },
    [](int fd, std::string&) { return outcome_of([&] { return ::pwrite(fd, "abc", 3, 20'000); }); },
    [](int fd, std::string&) {
        two_parts<3, 5000> p;
        return outcome_of([&] { return ::pwritev(fd, p.parts.data(), 2, 9); });
    },
    [](int fd, std::string&) {
        two_parts<3, 5000> p;
        return outcome_of([&] { return ::pwritev2(fd, p.parts.data(), 2, -1, 0); });
    },
    [](int fd, std::string&) { return outcome_of([&] { return ::pwrite(fd, "abc", 3, -1); }); },
    [](int fd, std::string&) {
        off64_t from = 10;
        off64_t to = 20'000;
        return outcome_of([&] { return ::copy_file_range(fd, &from, fd, &to, 100, 0); });
    },
    [](int fd, std::string&) { return outcome_of([&] { return ssize_t(::fsync(fd)); }); },
    [](int fd, std::string&) { return outcome_of([&] { return ssize_t(::fdatasync(fd)); }); },
    [](int fd, std::string&) { return outcome_of([&] { return ssize_t(::syncfs(fd)); }); },
    [](int fd, std::string&) {
        return outcome_of(
            [&] { return ssize_t(::sync_file_range(fd, 0, 100, SYNC_FILE_RANGE_WRITE)); });
    },
};
static_assert(std::size(names) == std::size(calls));

struct all_that_is_left {
    outcome given;
    std::string seen;
    off_t stands_at;
    std::string file;
};

all_that_is_left after(file_call call, bool cached) {
    const unique_fd file = filled_file();
    if (!cached) {
        forget_pages(file.get());
    }
    all_that_is_left all{};
    all.given = call(file.get(), all.seen);
    all.stands_at = ::lseek(file.get(), 0, SEEK_CUR);
    all.file.resize(3 * size);
    const ssize_t length = ::pread(file.get(), all.file.data(), all.file.size(), 0);
    all.file.resize(std::size_t(length));
    return all;
}

std::uint64_t calls_of_the_pool() { return coir::blocking_statistics().completed; }

}  // namespace

BOOST_AUTO_TEST_SUITE(files_on_disk)

BOOST_DATA_TEST_CASE(each_call_gives_what_libc_gives,
                     (data::make(names) ^ data::make(calls)) * data::make({true, false}), name,
                     call, cached) {
    BOOST_TEST_CONTEXT(name) {
        const all_that_is_left by_libc = after(call, cached);
        std::optional<all_that_is_left> in_a_fiber;
        coir::run([&] { in_a_fiber = after(call, cached); });
        BOOST_TEST(in_a_fiber->given == by_libc.given);
        BOOST_TEST((in_a_fiber->seen == by_libc.seen));
        BOOST_TEST(in_a_fiber->stands_at == by_libc.stands_at);
        BOOST_TEST((in_a_fiber->file == by_libc.file));
    }
}

BOOST_AUTO_TEST_CASE(other_fibers_run_while_somebody_waits_for_the_disk) {
    coir::run([] {
        const unique_fd file = temporary_file();
        const std::string much(8 << 20, 'x');
        bool another_ran = false;
        const coir::fiber other([&] { another_ran = true; });
        BOOST_TEST(::write(file.get(), much.data(), much.size()) == ssize_t(much.size()));
        BOOST_TEST(another_ran);
    });
}

BOOST_AUTO_TEST_CASE(what_writes_is_a_call_of_the_pool) {
    coir::run([] {
        const unique_fd file = filled_file();
        const int fd = file.get();
        const std::uint64_t before = calls_of_the_pool();
        BOOST_TEST(::write(fd, "abc", 3) == 3);
        BOOST_TEST(::pwrite(fd, "abc", 3, 0) == 3);
        BOOST_TEST(::fsync(fd) == 0);
        BOOST_TEST(::fdatasync(fd) == 0);
        BOOST_TEST(calls_of_the_pool() == before + 4);
    });
}

BOOST_AUTO_TEST_CASE(what_is_in_memory_is_read_without_the_pool) {
    coir::run([] {
        const unique_fd file = filled_file();
        char byte = 0;
        const iovec part{&byte, 1};
        const bool is_told = ::preadv2(file.get(), &part, 1, 0, RWF_NOWAIT) == 1;
        const std::uint64_t before = calls_of_the_pool();
        std::string text(size, ' ');
        BOOST_TEST(::read(file.get(), text.data(), size) == ssize_t(size));
        BOOST_TEST(::read(file.get(), text.data(), size) == 0);
        BOOST_TEST((text == contents()));
        if (is_told) {  // some file systems cannot say what they have in memory
            BOOST_TEST(calls_of_the_pool() == before);
        }
    });
}

// A file of /proc has nothing in the page cache.
BOOST_AUTO_TEST_CASE(what_is_not_is_read_by_the_pool) {
    coir::run([] {
        const unique_fd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
        BOOST_REQUIRE(static_cast<bool>(file));
        std::array<char, 5> text{};
        const std::uint64_t before = calls_of_the_pool();
        BOOST_TEST(::read(file.get(), text.data(), text.size()) == 5);
        BOOST_TEST(calls_of_the_pool() == before + 1);
        BOOST_TEST(std::string(text.begin(), text.end()) == "Name:");
        BOOST_TEST(::pread(file.get(), text.data(), text.size(), 0) == 5);
        BOOST_TEST(calls_of_the_pool() == before + 2);
        BOOST_TEST(std::string(text.begin(), text.end()) == "Name:");
    });
}

BOOST_AUTO_TEST_CASE(in_a_cancelled_scope_reads_and_writes_fail_and_what_is_saved_is_saved) {
    coir::run([] {
        const unique_fd file = filled_file();
        const int fd = file.get();
        coir::cancel_scope scope;
        scope.cancel();
        scope.run([&] {
            std::array<char, 3> text{};
            BOOST_TEST(
                (outcome_of([&] { return ::read(fd, text.data(), 3); }) == outcome{-1, ECANCELED}));
            BOOST_TEST((outcome_of([&] { return ::write(fd, text.data(), 3); }) ==
                        outcome{-1, ECANCELED}));
            BOOST_TEST(::pwrite(fd, "abc", 3, 0) == 3);
            BOOST_TEST(::pread(fd, text.data(), 3, 0) == 3);
            BOOST_TEST(std::string(text.begin(), text.end()) == "abc");
            BOOST_TEST(::fsync(fd) == 0);
        });
    });
}

BOOST_AUTO_TEST_CASE(a_deadline_does_not_leave_a_write_half_done) {
    coir::run([] {
        const unique_fd file = temporary_file();
        const std::string much(8 << 20, 'x');
        ssize_t written = 0;
        coir::try_for(0ms, [&] { written = ::pwrite(file.get(), much.data(), much.size(), 0); });
        BOOST_TEST(written == ssize_t(much.size()));
        struct stat status {};
        BOOST_TEST(::fstat(file.get(), &status) == 0);
        BOOST_TEST(status.st_size == off_t(much.size()));
    });
}

// A pipe is no file on disk: nothing of this concerns it.
BOOST_AUTO_TEST_CASE(what_is_not_on_disk_waits_as_ever) {
    coir::run([] {
        int ends[2];
        BOOST_REQUIRE(::pipe(ends) == 0);
        const unique_fd from(ends[0]);
        const unique_fd to(ends[1]);
        const std::uint64_t before = calls_of_the_pool();
        const coir::fiber writer([&] {
            coir::this_fiber::sleep_for(2ms);
            const iovec part{const_cast<char*>("abc"), 3};
            BOOST_TEST(::pwritev2(to.get(), &part, 1, -1, 0) == 3);
        });
        std::array<char, 10> text{};
        const iovec part{text.data(), text.size()};
        BOOST_TEST(::preadv2(from.get(), &part, 1, -1, 0) == 3);
        BOOST_TEST(calls_of_the_pool() == before);
        BOOST_TEST((outcome_of([&] { return ::pread(from.get(), text.data(), 1, 0); }) ==
                    outcome{-1, ESPIPE}));
        BOOST_TEST((outcome_of([&] { return ssize_t(::fsync(to.get())); }) == outcome{-1, EINVAL}));
    });
}

BOOST_AUTO_TEST_SUITE_END()
