// SPDX-License-Identifier: BSL-1.0
// Streams of wide characters that are no files on disk, in fibers: who waits in a call leaves the
// thread to others, and scopes end its wait. That the calls give what libc's give is in
// stdio_wide_law.cpp.
#include "hook/callers.hpp"
#include "hook/locale.hpp"
#include "hook/scopes.hpp"
#include "hook/streams.hpp"

#include <coir/cancellation.hpp>

#include <stdio.h>
#include <stdio_ext.h>
#include <wchar.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <ostream>
#include <string>
#include <utility>

extern "C" wint_t __wuflow(FILE* stream);
extern "C" wint_t __wunderflow(FILE* stream);
extern "C" wint_t __woverflow(FILE* stream, wint_t character);

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

struct wide_call {
    const char* name;
    int (*make)(FILE* stream);  // -1 if it fails
};
std::ostream& operator<<(std::ostream& out, const wide_call& call) { return out << call.name; }

int when(bool succeeded) { return succeeded ? 0 : -1; }

// The characters of the word, by one of the functions that take one.
int take_word(FILE* f, wint_t (*take)(FILE* stream)) {
    for (const wchar_t expected : {L'\x00fc', L'b', L' ', L'1', L'\n'}) {
        if (take(f) != static_cast<wint_t>(expected)) {
            return -1;
        }
    }
    return 0;
}

// Each takes "\xc3\xbc" "b 1\n" from a stream that has that and nothing else.
const wide_call input_calls[] = {
    {"fgetws",
     [](FILE* f) {
         wchar_t text[10] = L"";
         return when(::fgetws(text, 10, f) != nullptr && std::wcscmp(text,
                                                                     L"\x00fc"
                                                                     L"b 1\n") == 0);
     }},
    {"fgetws_unlocked",
     [](FILE* f) {
         wchar_t text[10] = L"";
         return when(::fgetws_unlocked(text, 10, f) != nullptr && std::wcslen(text) == 5);
     }},
    {"fgetwc",
     [](FILE* f) {
         return take_word(f, [](FILE* g) { return ::fgetwc(g); });
     }},
    {"getwc",
     [](FILE* f) {
         return take_word(f, [](FILE* g) { return ::getwc(g); });
     }},
    {"getwc_unlocked",
     [](FILE* f) {
         return take_word(f, [](FILE* g) { return ::getwc_unlocked(g); });
     }},
    {"__wuflow",
     [](FILE* f) {
         return ::fwide(f, 1) > 0 ? take_word(f, __wuflow) : -1;
     }},
    {"__wunderflow",
     [](FILE* f) {
         return when(::__wunderflow(f) == 0xfc && take_word(f, &fgetwc) == 0);
     }},
    {"fwscanf",
     [](FILE* f) {
         wchar_t text[10] = L"";
         int number = 0;
         return when(::fwscanf(f, L"%9ls %d", text, &number) == 2 && number == 1 &&
                     ::fgetwc(f) == L'\n');
     }},
    {"vfwscanf",
     [](FILE* f) {
         const auto scan = [](FILE* from, const wchar_t* format, ...) {
             va_list arguments;
             va_start(arguments, format);
             const int result = ::vfwscanf(from, format, arguments);
             va_end(arguments);
             return result;
         };
         wchar_t text[10] = L"";
         return when(scan(f, L"%9l[^\n]%*lc", text) == 1 && std::wcslen(text) == 4);
     }},
};

// Each has the stream write "t\xc3\xbcxt\n" at once, or anew what is buffered.
const wide_call output_calls[] = {
    {"fputws and fflush",
     [](FILE* f) {
         return when(::fputws(L"t\x00fcxt\n", f) >= 0 && ::fflush(f) == 0);
     }},
    {"fputws by line",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IOLBF, 0);
         // libc tells fputws of a write that has failed if the buffer must be emptied before.
         return when(::fputws(L"t\x00fcxt\n", f) >= 0 && ::ferror(f) == 0);
     }},
    {"fputwc without a buffer",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IONBF, 0);
         bool succeeded = true;
         for (const wchar_t c : {L't', L'\x00fc', L'x', L't', L'\n'}) {
             succeeded = succeeded && ::fputwc(c, f) == static_cast<wint_t>(c);
         }
         return when(succeeded);
     }},
    {"putwc_unlocked by line",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IOLBF, 0);
         bool succeeded = true;
         for (const wchar_t c : {L't', L'\x00fc', L'x', L't', L'\n'}) {
             succeeded = succeeded && ::putwc_unlocked(c, f) == static_cast<wint_t>(c);
         }
         return when(succeeded);
     }},
    {"__woverflow",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IOLBF, 0);
         bool succeeded = ::fwide(f, 1) > 0;
         for (const wchar_t c : {L't', L'\x00fc', L'x', L't', L'\n'}) {
             succeeded = succeeded && ::__woverflow(f, wint_t(c)) == static_cast<wint_t>(c);
         }
         return when(succeeded);
     }},
    {"fputws_unlocked and fflush_unlocked",
     [](FILE* f) {
         return when(::fputws_unlocked(L"t\x00fcxt\n", f) >= 0 && ::fflush_unlocked(f) == 0);
     }},
    {"fwprintf without a buffer",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IONBF, 0);
         return when(::fwprintf(f, L"%ls%lc", L"t\x00fcxt", wint_t(L'\n')) == 5);
     }},
    {"vfwprintf without a buffer",
     [](FILE* f) {
         ::setvbuf(f, nullptr, _IONBF, 0);
         const auto print = [](FILE* to, const wchar_t* format, ...) {
             va_list arguments;
             va_start(arguments, format);
             const int result = ::vfwprintf(to, format, arguments);
             va_end(arguments);
             return result;
         };
         return when(print(f, L"%ls\n", L"t\x00fcxt") == 5);
     }},
    {"fflush of all",
     [](FILE* f) {
         return when(::fputws(L"t\x00fcxt\n", f) >= 0 && ::fflush(nullptr) == 0);
     }},
    {"a change of buffers",
     [](FILE* f) {
         return when(::fputws(L"t\x00fcxt\n", f) >= 0 && ::setvbuf(f, nullptr, _IONBF, 0) == 0);
     }},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(hooked_wide_stdio, utf8_locale)

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
        for (const char* const bit : {"\xc3",
                                      "\xbc"
                                      "b",
                                      " ", "1\n"}) {
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
        std::string text(std::size_t(full) + 6, '#');
        for (std::size_t got = 0; got < text.size();) {
            const ssize_t more = ::read(pair.a.get(), text.data() + got, text.size() - got);
            BOOST_REQUIRE(more > 0);
            got += std::size_t(more);
        }
        writer.join();
        BOOST_TEST(text.substr(text.size() - 6) == "t\xc3\xbcxt\n");
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
    BOOST_TEST(::write(pair.b.get(),
                       "\xc3\xbc"
                       "b 1\n",
                       6) == 6);
    BOOST_TEST(call.make(stream.get()) == 0);
}

BOOST_DATA_TEST_CASE(a_scan_that_a_scope_ends_has_taken_what_was_there, data::make(bufferings),
                     mode) {
    descriptor_pair pair = pipe_ends();
    const stream_ptr stream = opened(std::move(pair.a), "r", mode);
    coir::run([&] {
        BOOST_TEST(::write(pair.b.get(), "12", 2) == 2);
        int number = 0;
        BOOST_CHECK_THROW(coir::with_timeout(std::chrono::milliseconds(20),
                                             [&] { ::fwscanf(stream.get(), L"%d", &number); }),
                          coir::timed_out);
        BOOST_TEST(number == 12);
        BOOST_TEST(::ferror(stream.get()) != 0);
        ::clearerr(stream.get());
        BOOST_TEST(::write(pair.b.get(), "34 ", 3) == 3);
        BOOST_TEST(::fwscanf(stream.get(), L"%d", &number) == 1);
        BOOST_TEST(number == 34);
    });
}

BOOST_DATA_TEST_CASE(scopes_end_a_write, data::make(output_calls), call) {
    descriptor_pair pair = pipe_ends();
    fill(pair.b.get());
    const stream_ptr stream = opened(std::move(pair.b), "w");
    check_scopes_reach_into([&] { return call.make(stream.get()); });
    BOOST_TEST(::ferror(stream.get()) != 0);
    BOOST_TEST(::__fpending(stream.get()) == 0U);
}

BOOST_AUTO_TEST_CASE(a_cancelled_scope_writes_what_does_not_wait_and_closes_what_it_has) {
    const time_bomb bomb;
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
            BOOST_TEST(::fwprintf(stream.get(), L"farewell %d\n", 1) == 11);
            BOOST_TEST(::fclose(stream.release()) == 0);
            BOOST_TEST(::fwprintf(full.get(), L"farewell\n") == 9);
            BOOST_TEST(::fclose(full.release()) == EOF);
            BOOST_TEST(errno == ECANCELED);
            BOOST_TEST(::fcntl(fd, F_GETFD) == -1);
        });
        char text[12] = "";
        BOOST_TEST(::read(pair.a.get(), text, 11) == 11);
        BOOST_TEST(text == std::string("farewell 1\n"));
    });
}

// Whoever writes a stream is alone with it.
BOOST_AUTO_TEST_CASE(texts_of_two_fibers_are_not_mixed) {
    const time_bomb bomb;
    coir::run([] {
        descriptor_pair pair = pipe_ends();
        slow_reader peer(std::move(pair.a));
        stream_ptr stream = opened(std::move(pair.b), "w");
        const std::wstring first(100'000, L'1');
        const std::wstring second(100'000, L'2');
        coir::fiber writer([&] { BOOST_TEST(::fputws(first.c_str(), stream.get()) >= 0); });
        coir::this_fiber::yield();
        BOOST_TEST(::fwprintf(stream.get(), L"%ls", second.c_str()) == 100'000);
        writer.join();
        BOOST_TEST(::fclose(stream.release()) == 0);
        const std::string all = peer.all();
        BOOST_TEST((all == std::string(100'000, '1') + std::string(100'000, '2')));
    });
}

BOOST_AUTO_TEST_CASE(a_question_of_wide_characters_is_written_before_the_answer_is_read) {
    const time_bomb bomb;
    coir::run([] {
        descriptor_pair answers = pipe_ends();
        const stream_ptr in = opened(std::move(answers.a), "r", buffering::none);
        descriptor_pair questions = pipe_ends();
        const stream_ptr out = opened(std::move(questions.b), "w", buffering::by_line);
        FILE* const output = std::exchange(stdout, out.get());
        FILE* const input = std::exchange(stdin, in.get());
        BOOST_TEST(::wprintf(L"name? ") == 6);
        BOOST_TEST(unread(questions.a.get()) == 0);
        coir::fiber reader([&] { BOOST_TEST((::getwchar() == L'A')); });
        char text[7] = "";
        BOOST_TEST(::read(questions.a.get(), text, 6) == 6);
        BOOST_TEST(text == std::string("name? "));
        BOOST_TEST(::write(answers.b.get(), "A1 ", 3) == 3);
        reader.join();
        int number = 0;
        BOOST_TEST(::wscanf(L"%d", &number) == 1);
        BOOST_TEST(number == 1);
        BOOST_TEST((::putwchar(L'\n') == L'\n'));
        BOOST_TEST(unread(questions.a.get()) == 1);
        stdout = output;
        stdin = input;
    });
}

BOOST_AUTO_TEST_SUITE_END()
