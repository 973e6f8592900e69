// SPDX-License-Identifier: BSL-1.0
// Streams of stdio that are no files on disk, in fibers: who waits in a call leaves the thread to
// others, and scopes end its wait. That the calls give what libc's give is in stdio_law.cpp.
#include "hook/callers.hpp"
#include "hook/overlap.hpp"
#include "hook/scopes.hpp"
#include "hook/streams.hpp"

#include <coir/cancellation.hpp>

#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>
#include <array>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <ext/stdio_sync_filebuf.h>
#include <fstream>
#include <istream>
#include <ostream>
#include <string>
#include <utility>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

struct text_call {
    const char* name;
    int (*make)(FILE* stream);  // -1 if it fails
};
std::ostream& operator<<(std::ostream& out, const text_call& call) { return out << call.name; }

int when(bool succeeded) { return succeeded ? 0 : -1; }

// Each takes "word 1\n" from a stream that has that and nothing else.
const text_call input_calls[] = {
    {"fgets",
     [](FILE* f) {
         char text[10] = "";
         return when(::fgets(text, sizeof text, f) != nullptr &&
                     std::strcmp(text, "word 1\n") == 0);
     }},
    {"fgets_unlocked",
     [](FILE* f) {
         char text[10] = "";
         return when(::fgets_unlocked(text, sizeof text, f) != nullptr &&
                     std::strcmp(text, "word 1\n") == 0);
     }},
    {"getline",
     [](FILE* f) {
         char* text = nullptr;
         std::size_t size = 0;
         const ssize_t length = ::getline(&text, &size, f);
         const int error = errno;
         std::free(text);
         errno = error;
         return when(length == 7);
     }},
    {"getdelim",
     [](FILE* f) {
         char* text = nullptr;
         std::size_t size = 0;
         const ssize_t length = ::getdelim(&text, &size, '1', f);
         const int error = errno;
         std::free(text);
         errno = error;
         return when(length == 6 && ::fgetc(f) == '\n');
     }},
    {"fgetc",
     [](FILE* f) {
         int c = 0;
         for (const char expected : {'w', 'o', 'r', 'd', ' ', '1', '\n'}) {
             c = ::fgetc(f);
             if (c != expected) {
                 break;
             }
         }
         return when(c == '\n');
     }},
    {"getc_unlocked",
     [](FILE* f) {
         int c = 0;
         for (const char expected : {'w', 'o', 'r', 'd', ' ', '1', '\n'}) {
             c = ::getc_unlocked(f);
             if (c != expected) {
                 break;
             }
         }
         return when(c == '\n');
     }},
    {"fread",
     [](FILE* f) {
         char text[7];
         return when(::fread(text, 1, sizeof text, f) == sizeof text);
     }},
    {"fscanf",
     [](FILE* f) {
         char text[10] = "";
         int number = 0;
         return when(::fscanf(f, "%9s %d", text, &number) == 2 && number == 1 &&
                     ::fgetc(f) == '\n');
     }},
    {"a stream buffer of C++",
     [](FILE* f) {
         __gnu_cxx::stdio_sync_filebuf<char> buffer(f);
         std::istream in(&buffer);
         std::string word;
         int number = 0;
         in >> word >> number;
         return when(word == "word" && number == 1 && ::fgetc(f) == '\n');
     }},
};

// Each has the stream write "text\n" at once, or anew what is buffered.
const text_call output_calls[] = {
    {"fputs and fflush",
     [](FILE* f) {
         return when(::fputs("text\n", f) >= 0 && ::fflush(f) == 0);
     }},
    {"fputs without a buffer",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IONBF, 0);
         return when(::fputs("text\n", f) >= 0);
     }},
    {"fputc by line",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IOLBF, 0);
         bool succeeded = true;
         for (const char c : {'t', 'e', 'x', 't', '\n'}) {
             succeeded = succeeded && ::fputc(c, f) == c;
         }
         return when(succeeded);
     }},
    {"putc_unlocked without a buffer",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IONBF, 0);
         bool succeeded = true;
         for (const char c : {'t', 'e', 'x', 't', '\n'}) {
             succeeded = succeeded && ::putc_unlocked(c, f) == c;
         }
         return when(succeeded);
     }},
    {"fwrite and fflush_unlocked",
     [](FILE* f) {
         return when(::fwrite("text\n", 5, 1, f) == 1 && ::fflush_unlocked(f) == 0);
     }},
    {"fprintf by line",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IOLBF, 0);
         return when(::fprintf(f, "%s%c", "text", '\n') == 5);
     }},
    {"vfprintf without a buffer",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IONBF, 0);
         const auto print = [](FILE* to, const char* format, ...) {
             va_list arguments;
             va_start(arguments, format);
             const int result = ::vfprintf(to, format, arguments);
             va_end(arguments);
             return result;
         };
         return when(print(f, "%s\n", "text") == 5);
     }},
    {"dprintf",
     [](FILE* f) {
         return when(::dprintf(::fileno(f), "te%s\n", "xt") == 5);
     }},
    {"fflush of all",
     [](FILE* f) {
         return when(::fputs("text\n", f) >= 0 && ::fflush(nullptr) == 0);
     }},
    {"a seek",
     [](FILE* f) {
         const bool buffered = ::fputs("text\n", f) >= 0;
         return when(buffered && ::fseek(f, 0, SEEK_SET) == -1 && (errno == ESPIPE));
     }},
    {"a change of buffers",
     [](FILE* f) {
         return when(::fputs("text\n", f) >= 0 && ::setvbuf(f, nullptr, _IONBF, 0) == 0);
     }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(hooked_stdio)

BOOST_DATA_TEST_CASE(who_reads_leaves_the_thread_to_others,
                     data::make(input_calls) * data::make(bufferings), call, mode) {
    const time_bomb bomb;
    coir::run([&] {
        descriptor_pair pair = pipe_ends();
        const stream_ptr stream = opened(std::move(pair.a), "r", mode);
        bool has_read = false;
        coir::fiber reader([&] {
            BOOST_TEST(call.make(stream.get()) == 0);
            has_read = true;
        });
        for (const char* const bit : {"wo", "rd", " ", "1\n"}) {
            ::usleep(1'000);
            BOOST_TEST(!has_read);
            BOOST_TEST(::write(pair.b.get(), bit, std::strlen(bit)) > 0);
        }
        reader.join();
    });
}

BOOST_DATA_TEST_CASE(who_writes_to_a_full_pipe_leaves_the_thread_to_others,
                     data::make(output_calls), call) {
    const time_bomb bomb;
    coir::run([&] {
        descriptor_pair pair = pipe_ends();
        fill(pair.b.get());
        const int full = unread(pair.a.get());
        const stream_ptr stream = opened(std::move(pair.b), "w");
        bool has_written = false;
        coir::fiber writer([&] {
            BOOST_TEST(call.make(stream.get()) == 0);
            has_written = true;
        });
        ::usleep(1'000);
        BOOST_TEST(!has_written);
        std::string text(std::size_t(full) + 5, '#');
        for (std::size_t got = 0; got < text.size();) {
            const ssize_t more = ::read(pair.a.get(), text.data() + got, text.size() - got);
            BOOST_REQUIRE(more > 0);
            got += std::size_t(more);
        }
        writer.join();
        BOOST_TEST(text.substr(text.size() - 5) == "text\n");
    });
}

BOOST_AUTO_TEST_CASE(fclose_waits_for_what_is_buffered_and_ends_waits_for_the_descriptor) {
    const time_bomb bomb;
    coir::run([] {
        descriptor_pair pair = pipe_ends();
        fill(pair.b.get());
        stream_ptr stream = opened(std::move(pair.b), "w");
        BOOST_TEST(::fputs("text\n", stream.get()) >= 0);
        bool closed = false;
        coir::fiber closer([&] {
            BOOST_TEST(::fclose(stream.release()) == 0);
            closed = true;
        });
        ::usleep(1'000);
        BOOST_TEST(!closed);
        std::string text;
        char byte = 0;
        while (::read(pair.a.get(), &byte, 1) == 1) {
            text += byte;
        }
        closer.join();
        BOOST_TEST(text.substr(text.size() - 5) == "text\n");

        descriptor_pair other = pipe_ends();
        stream_ptr input = opened(std::move(other.a), "r");
        const int fd = ::fileno(input.get());
        coir::fiber waiter([&] {
            BOOST_TEST(::read(fd, &byte, 1) == -1);
            BOOST_TEST(errno == EBADF);
        });
        ::usleep(1'000);
        input.reset();
        waiter.join();
    });
}

BOOST_DATA_TEST_CASE(scopes_end_a_read, data::make(input_calls), call) {
    descriptor_pair pair = pipe_ends();
    const stream_ptr stream = opened(std::move(pair.a), "r");
    check_scopes_reach_into([&] { return call.make(stream.get()); });
    BOOST_TEST(::ferror(stream.get()) != 0);
    BOOST_TEST(::feof(stream.get()) == 0);
    // Nothing is lost, and nothing is left behind.
    ::clearerr(stream.get());
    BOOST_TEST(::write(pair.b.get(), "word 1\n", 7) == 7);
    BOOST_TEST(call.make(stream.get()) == 0);
}

BOOST_DATA_TEST_CASE(scopes_end_a_write, data::make(output_calls), call) {
    descriptor_pair pair = pipe_ends();
    fill(pair.b.get());
    const stream_ptr stream = opened(std::move(pair.b), "w");
    const bool is_on_stream = std::strcmp(call.name, "dprintf") != 0;
    check_scopes_reach_into([&] { return call.make(stream.get()); });
    BOOST_TEST((::ferror(stream.get()) != 0) == is_on_stream);
    BOOST_TEST(::__fpending(stream.get()) == 0U);
}

// A program says why it ends.
BOOST_AUTO_TEST_CASE(a_cancelled_scope_writes_what_does_not_wait_and_closes_what_it_has) {
    coir::run([] {
        descriptor_pair pair = pipe_ends();
        stream_ptr stream = opened(std::move(pair.b), "w");
        descriptor_pair other = pipe_ends();
        fill(other.b.get());
        stream_ptr full = opened(std::move(other.b), "w");
        const int fd = ::fileno(full.get());
        coir::cancel_scope scope;
        scope.run([&] {
            scope.cancel();
            BOOST_TEST(::fprintf(stream.get(), "farewell %d\n", 1) == 11);
            BOOST_TEST(::fclose(stream.release()) == 0);
            BOOST_TEST(::fprintf(full.get(), "farewell\n") == 9);
            BOOST_TEST(::fclose(full.release()) == EOF);
            BOOST_TEST(errno == ECANCELED);
            BOOST_TEST(::fcntl(fd, F_GETFD) == -1);
        });
        char text[12] = "";
        BOOST_TEST(::read(pair.a.get(), text, 11) == 11);
        BOOST_TEST(text == std::string("farewell 1\n"));
    });
}

BOOST_AUTO_TEST_CASE(the_output_of_a_command_is_awaited) {
    check_overlap([](int i) {
        const std::string command =
            "sleep 0.1; echo " + std::to_string(i) + "; sleep 0.1; echo end";
        FILE* const stream = ::popen(command.c_str(), "r");
        int number = -1;
        char text[10] = "";
        BOOST_TEST(::fscanf(stream, "%d\n", &number) == 1);
        BOOST_TEST(number == i);
        BOOST_TEST(::fgets(text, sizeof text, stream) == text);
        BOOST_TEST(text == std::string("end\n"));
        BOOST_TEST(::pclose(stream) == 0);
    });
}

BOOST_AUTO_TEST_CASE(who_logs_leaves_the_thread_to_others) {
    const time_bomb bomb;
    ::openlog("tester", LOG_PERROR, LOG_USER);
    coir::run([] {
        descriptor_pair pair = pipe_ends();
        fill(pair.b.get());
        std::string text;
        {
            const standard_error_in full(pair.b.get());
            pair.b.reset();
            coir::fiber logger([] {
                coir::cancel_scope scope;
                scope.run([&] {
                    errno = ENOENT;
                    ::syslog(LOG_DEBUG, asking_for_errno(), "errno");
                    BOOST_TEST(errno == ENOENT);
                    scope.cancel();
                    ::syslog(LOG_DEBUG, "%s", "second");
                });
            });
            std::array<char, 100'000> buffer;
            while (text.find("second\n") == text.npos) {
                const ssize_t got = ::read(pair.a.get(), buffer.data(), buffer.size());
                BOOST_REQUIRE(got > 0);
                text.append(buffer.data(), std::size_t(got));
            }
            logger.join();
        }
        BOOST_TEST(text.find("tester: errno: No such file or directory\n") != text.npos);
    });
    ::closelog();
}

// As a terminal's user expects it.
BOOST_AUTO_TEST_CASE(a_question_on_the_standard_output_is_written_before_the_answer_is_read) {
    const time_bomb bomb;
    coir::run([] {
        descriptor_pair answers = pipe_ends();
        const stream_ptr in = opened(std::move(answers.a), "r", buffering::none);
        descriptor_pair questions = pipe_ends();
        const stream_ptr out = opened(std::move(questions.b), "w", buffering::by_line);
        FILE* const before = std::exchange(stdout, out.get());
        BOOST_TEST(::printf("name? ") == 6);
        BOOST_TEST(unread(questions.a.get()) == 0);
        coir::fiber reader([&] { BOOST_TEST(::fgetc(in.get()) == 'A'); });
        char text[7] = "";
        BOOST_TEST(::read(questions.a.get(), text, 6) == 6);
        BOOST_TEST(text == std::string("name? "));
        BOOST_TEST(::write(answers.b.get(), "A", 1) == 1);
        reader.join();
        BOOST_TEST(::puts("") == 1);
        BOOST_TEST(::putchar('\n') == '\n');
        BOOST_TEST(unread(questions.a.get()) == 2);
        stdout = before;
    });
}

BOOST_AUTO_TEST_CASE(a_file_stream_of_cpp_leaves_the_thread_to_others) {
    const time_bomb bomb;
    coir::run([] {
        descriptor_pair pair = pipe_ends();
        std::ifstream in("/dev/fd/" + std::to_string(pair.a.get()));
        coir::fiber reader([&] {
            std::string line;
            BOOST_TEST(!!std::getline(in, line));
            BOOST_TEST(line == "a line");
        });
        ::usleep(1'000);
        BOOST_TEST(::write(pair.b.get(), "a line\n", 7) == 7);
        reader.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
