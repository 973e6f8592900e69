// SPDX-License-Identifier: BSL-1.0
// Streams of wide characters that are no files on disk: a script of calls gives in a fiber what it
// gives on a thread, where it is libc's own.
#include "hook/locale.hpp"
#include "hook/signals.hpp"
#include "hook/streams.hpp"

#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <wchar.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

std::string told(const std::wstring& text) {
    std::string result;
    for (const wchar_t c : text) {
        result += c >= L' ' && c < 0x7f ? std::string(1, static_cast<char>(c))
                                        : "<" + std::to_string(static_cast<long>(c)) + ">";
    }
    return result;
}

void tell_indicators(transcript& t, FILE* stream) {
    t.add("end " + std::to_string(::feof(stream) != 0) + ", error " +
          std::to_string(::ferror(stream) != 0));
}

// A line, with what it left of the buffer; or that there was none.
void tell_line(transcript& t, FILE* stream, int size) {
    std::wstring text(100, L'#');
    t.call("fgetws", [&] { return ::fgetws(text.data(), size, stream) == text.data() ? 0 : -1; });
    t.add(told(text.substr(0, 40)));
}

long number_of(wint_t character) { return character == WEOF ? -1 : static_cast<long>(character); }

void tell_character(transcript& t, FILE* stream) {
    t.call("fgetwc", [&] { return number_of(::fgetwc(stream)); });
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(hooked_wide_stdio_law, utf8_locale)

BOOST_DATA_TEST_CASE(lines_and_characters_are_read_as_by_libc,
                     data::make(channels) * data::make(bufferings), kind, mode) {
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        const stream_ptr stream = opened(std::move(pair.a), "r", mode);
        FILE* const f = stream.get();
        // A character comes in two bits, and one in three.
        const slow_writer peer(std::move(pair.b),
                               {"one\ntw", "o\n", std::string("z\0z\n", 4), "gr\xc3",
                                "\xbc"
                                "n\n",
                                "\xe2", "\x82",
                                "\xac"
                                "5\n",
                                "abcdefghijklmnopqrstuvwxyz", "0123456789\n", "\xf0\x9f\x98\x80!\n",
                                "bytes and by", "tes", "\nlast"});
        tell_line(t, f, 80);
        tell_line(t, f, 80);
        tell_line(t, f, 80);
        tell_line(t, f, 80);
        tell_character(t, f);
        t.call("ungetwc", [&] { return number_of(::ungetwc(0x20ac, f)); });
        t.call("ungetwc again", [&] { return number_of(::ungetwc(L'L', f)); });
        tell_line(t, f, 1);
        tell_line(t, f, 0);
        tell_line(t, f, 11);
        tell_line(t, f, 80);
        tell_line(t, f, 30);
        tell_line(t, f, 80);
        tell_character(t, f);
        t.call("getwc", [&] { return number_of(::getwc(f)); });
        t.call("fgetc of wide characters", [&] { return ::fgetc(f); });
        tell_line(t, f, 80);
        tell_line(t, f, 80);
        tell_line(t, f, 80);
        tell_indicators(t, f);
        tell_character(t, f);
        t.call("ungetwc at the end", [&] { return number_of(::ungetwc(L'u', f)); });
        tell_indicators(t, f);
        tell_character(t, f);
        tell_character(t, f);
        tell_indicators(t, f);
        ::clearerr(f);
        tell_character(t, f);
        t.call("fputwc to what is read", [&] { return number_of(::fputwc(L'x', f)); });
        tell_indicators(t, f);
    });
}

BOOST_DATA_TEST_CASE(what_is_no_character_is_told_of_as_by_libc,
                     data::make(channels) * data::make(bufferings) *
                         data::make({"ab\xff"
                                     "cd\n",
                                     "ab\xc3", "\xc3(x\n", "\xe2\x82"}),
                     kind, mode, sent) {
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        const stream_ptr stream = opened(std::move(pair.a), "r", mode);
        const slow_writer peer(std::move(pair.b), {sent});
        for (int i = 0; i < 4; ++i) {
            tell_character(t, stream.get());
            tell_indicators(t, stream.get());
        }
    });
}

BOOST_DATA_TEST_CASE(formats_are_scanned_as_by_libc, data::make(channels) * data::make(bufferings),
                     kind, mode) {
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        const stream_ptr stream = opened(std::move(pair.a), "r", mode);
        FILE* const f = stream.get();
        const slow_writer peer(std::move(pair.b),
                               {"12", "34 appl", "es 0x1", "fz", "-7,q 5%", "0 x", "[ab%d]z ",
                                "\xc3", "\xbcgly wor", "d 1.5", "e3 ", "xyz", "\n77", " 88 ", "9"});
        int number = -1;
        int other = -1;
        unsigned hex = 0;
        wchar_t word[10] = L"";
        t.call("fwscanf", [&] { return ::fwscanf(f, L"%d %9ls %x", &number, word, &hex); });
        t.add(std::to_string(number) + told(word) + std::to_string(hex));
        t.call("fwscanf of a wrong one", [&] { return ::fwscanf(f, L"%d", &number); });
        tell_character(t, f);
        t.call("fwscanf", [&] { return ::fwscanf(f, L"%d,%lc", &number, word); });
        t.add(std::to_string(number) + told(word));
        t.call("fwscanf of a percent", [&] { return ::fwscanf(f, L"%d%% %d", &number, &other); });
        t.add(std::to_string(number) + " " + std::to_string(other));
        t.call("fwscanf of a set", [&] { return ::fwscanf(f, L" x%9l[][%%abd]%n", word, &other); });
        t.add(told(word) + std::to_string(other));
        wchar_t* made = nullptr;
        float real = 0;
        t.call("fwscanf that allocates",
               [&] { return ::fwscanf(f, L"z %mls %*s %f", &made, &real); });
        t.add((made != nullptr ? told(made) : "nothing") + std::to_string(real));
        std::free(made);
        t.call("fwscanf of nothing", [&] { return ::fwscanf(f, L""); });
        t.call("fwscanf of a place", [&] { return ::fwscanf(f, L"%n", &other); });
        t.add(std::to_string(other));
        t.call("fwscanf in another order",
               [&] { return ::fwscanf(f, L" x%2$lc%1$lc", word, word + 1); });
        t.add(told(word));
        tell_character(t, f);
        t.call("fwscanf", [&] { return ::fwscanf(f, L"%d", &number); });
        t.add(std::to_string(number));
        tell_character(t, f);
        t.call("fwscanf to the end",
               [&] { return ::fwscanf(f, L"%d%d%d", &number, &other, &hex); });
        t.add(std::to_string(number) + " " + std::to_string(other) + " " + std::to_string(hex));
        tell_indicators(t, f);
        t.call("fwscanf at the end", [&] { return ::fwscanf(f, L"%d", &number); });
        tell_indicators(t, f);
    });
}

BOOST_DATA_TEST_CASE(a_long_word_is_scanned_as_by_libc, data::make(channels), kind) {
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        const stream_ptr stream = opened(std::move(pair.a), "r");
        const std::string sent = pattern(10'000);
        std::string letters;
        for (const char c : sent) {
            letters += static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
        }
        const slow_writer peer(
            std::move(pair.b),
            {letters.substr(0, 5'000), letters.substr(5'000, 7), letters.substr(5'007), " next"});
        std::wstring got(12'000, L'#');
        t.call("fwscanf", [&] { return ::fwscanf(stream.get(), L"%ls", got.data()); });
        t.add(got.substr(0, 10'000) == std::wstring(letters.begin(), letters.end())
                  ? "all of it"
                  : "something else");
        tell_line(t, stream.get(), 80);
    });
}

BOOST_DATA_TEST_CASE(a_signal_ends_a_read_of_wide_characters_as_with_libc,
                     data::make(channels) * data::make({0, SA_RESTART}) * data::make({0, 1}), kind,
                     flags, scans) {
    check_law([&](const posix_calls&, transcript& t) {
        const with_handler handler(SIGUSR1, count_handled, flags);
        descriptor_pair pair = ends(kind);
        const stream_ptr stream = opened(std::move(pair.a), "r", bufferings[0]);
        {
            const pesterer signals(::pthread_self(), SIGUSR1,
                                   [&] { must(::write(pair.b.get(), "line\n", 5) == 5); });
            wchar_t word[10] = L"";
            if (scans != 0) {
                t.call("fwscanf", [&] { return ::fwscanf(stream.get(), L"%9ls", word); });
                t.add(told(word));
            } else {
                tell_line(t, stream.get(), 80);
            }
        }
        tell_indicators(t, stream.get());
    });
}

BOOST_DATA_TEST_CASE(what_is_written_leaves_the_buffer_as_with_libc, data::make(bufferings), mode) {
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = pipe_ends();
        const unique_fd peer = std::move(pair.a);
        stream_ptr stream = opened(std::move(pair.b), "w", mode);
        FILE* const f = stream.get();
        const auto tell = [&](const char* what, auto make) {
            t.call(what, make);
            t.add(std::to_string(unread(peer.get())) + " written, " +
                  std::to_string(::__fpending(f)) + " pending");
        };
        const auto put = [&](const std::wstring& text) {
            return [&f, text] {
                return ::fputws(text.c_str(), f) >= 0 ? 0 : -1;
            };
        };
        tell("fputwc", [&] { return number_of(::fputwc(0x20ac, f)); });
        tell("fputwc of a newline", [&] { return number_of(::fputwc(L'\n', f)); });
        tell("fputws", put(L"some \x00fc text"));
        tell("fputws of two lines", put(L"line\nhalf a line"));
        tell("fputws of a long text", put(L"0123456789\n0123456789abcdef0123456789\nabc"));
        tell("fputws of nothing", put(L""));
        tell("fwprintf", [&] { return ::fwprintf(f, L"%5d|%-5ls|%.3f\n", 42, L"\x00e4", 1.5); });
        tell("fwprintf of an error", [&] {
            errno = ENOENT;
            const int result = ::fwprintf(f, L"%s: %m\n", "errno");
            errno = EXDEV;
            return result;
        });
        tell("fwprintf of nothing", [&] { return ::fwprintf(f, L"%s", ""); });
        tell("fwprintf of a zero", [&] { return ::fwprintf(f, L"a%lcb", wint_t(0)); });
        const std::wstring longer(2'000, L'\x00fc');
        tell("fwprintf of a long text", [&] { return ::fwprintf(f, L"<%ls>\n", longer.c_str()); });
        tell("fwprintf that fails half-way", [&] { return ::fwprintf(f, L"before %s", "\xff"); });
        tell("fflush", [&] { return ::fflush(f); });
        tell("putwc", [&] { return number_of(::putwc(L'z', f)); });
        tell("fflush of all", [&] { return ::fflush(nullptr); });
        tell("fputws of blocks", put(std::wstring(9'000, L'b')));
        tell("fgetwc from what is written", [&] { return number_of(::fgetwc(f)); });
        tell_indicators(t, f);
        ::clearerr(f);
        tell("fputws", put(L"end"));
        t.call("fclose", [&] { return ::fclose(stream.release()); });
        std::string all(30'000, '#');
        std::size_t size = 0;
        for (ssize_t got = 1; got > 0; size += std::size_t(got)) {
            got = ::read(peer.get(), all.data() + size, all.size() - size);
            must(got >= 0);
        }
        all.resize(size);
        t.add(printable(all));
    });
}

BOOST_DATA_TEST_CASE(more_than_the_kernel_takes_at_once_is_written_as_by_libc,
                     data::make(channels) * data::make(bufferings), kind, mode) {
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        slow_reader peer(std::move(pair.a));
        stream_ptr stream = opened(std::move(pair.b), "w", mode);
        FILE* const f = stream.get();
        const std::wstring block(30'000, L'\x00fc');
        t.call("fputws", [&] { return ::fputws(block.c_str(), f) >= 0 ? 0 : -1; });
        t.call("fwprintf", [&] { return ::fwprintf(f, L"%ls,%d", block.c_str(), 7); });
        for (int i = 0; i < 5'000; ++i) {
            if (::fputwc(wchar_t(L'a' + i % 26), f) == WEOF || ::fputws(L"\n", f) < 0) {
                t.add("a failure");
            }
        }
        t.call("fclose", [&] { return ::fclose(stream.release()); });
        const std::string all = peer.all();
        t.add(std::to_string(all.size()) + " " + std::to_string(std::hash<std::string>()(all)));
    });
}

// With a buffer: without one, glibc 2.36 writes to memory that is not the stream's if it goes on
// after an error.
BOOST_DATA_TEST_CASE(a_peer_that_is_gone_is_told_of_as_by_libc,
                     data::make(channels) *
                         data::make({buffering::full, buffering::small, buffering::by_line}),
                     kind, mode) {
    const auto ignored = ::signal(SIGPIPE, SIG_IGN);
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        pair.a.reset();
        stream_ptr stream = opened(std::move(pair.b), "w", mode);
        FILE* const f = stream.get();
        t.call("fputws", [&] { return ::fputws(L"text", f) >= 0 ? 0 : -1; });
        t.call("fflush", [&] { return ::fflush(f); });
        tell_indicators(t, f);
        t.add(std::to_string(::__fpending(f)) + " pending");
        t.call("fwprintf", [&] { return ::fwprintf(f, L"%10000d", 1); });
        t.add(std::to_string(::__fpending(f)) + " pending");
        ::clearerr(f);
        t.call("fputws", [&] { return ::fputws(L"text\n", f) >= 0 ? 0 : -1; });
        t.call("fclose", [&] { return ::fclose(stream.release()); });
    });
    ::signal(SIGPIPE, ignored);
}

// Also that a question is seen before the answer to it is awaited.
BOOST_AUTO_TEST_CASE(a_conversation_on_one_stream_is_as_by_libc) {
    check_law([](const posix_calls&, transcript& t) {
        descriptor_pair pair = connected_sockets(socket_kind::unix_stream);
        const stream_ptr stream = opened(std::move(pair.a), "r+");
        FILE* const f = stream.get();
        std::thread echo([peer = std::move(pair.b)] {
            char text[100];
            for (ssize_t got; (got = ::read(peer.get(), text, sizeof text)) > 0;) {
                ::send(peer.get(), text, std::size_t(got), MSG_NOSIGNAL);
            }
        });
        t.call("fputws", [&] { return ::fputws(L"question\n", f) >= 0 ? 0 : -1; });
        tell_line(t, f, 80);
        t.call("fputws", [&] { return ::fputws(L"12 apples\nand more\n", f) >= 0 ? 0 : -1; });
        int number = 0;
        t.call("fwscanf", [&] { return ::fwscanf(f, L"%d", &number); });
        tell_line(t, f, 80);
        tell_line(t, f, 80);
        t.call("fputws", [&] { return ::fputws(L"third\n", f) >= 0 ? 0 : -1; });
        t.call("fflush", [&] { return ::fflush(f); });
        ::shutdown(::fileno(f), SHUT_RDWR);
        echo.join();
    });
}

BOOST_AUTO_TEST_CASE(descriptors_that_the_program_made_non_blocking_are_as_with_libc) {
    check_law([](const posix_calls&, transcript& t) {
        descriptor_pair in = pipe_ends();
        set_nonblocking(in.a.get());
        const stream_ptr reader = opened(std::move(in.a), "r");
        must(::write(in.b.get(), "half", 4) == 4);
        tell_line(t, reader.get(), 80);
        tell_indicators(t, reader.get());
        tell_line(t, reader.get(), 80);
        wchar_t word[10] = L"";
        ::clearerr(reader.get());
        must(::write(in.b.get(), "word", 4) == 4);
        t.call("fwscanf", [&] { return ::fwscanf(reader.get(), L"%9ls", word); });
        t.add(told(word));
        tell_indicators(t, reader.get());
        descriptor_pair out = pipe_ends();
        fill(out.b.get());
        set_nonblocking(out.b.get());
        const stream_ptr writer = opened(std::move(out.b), "w");
        t.call("fputws", [&] { return ::fputws(L"text", writer.get()) >= 0 ? 0 : -1; });
        t.call("fflush", [&] { return ::fflush(writer.get()); });
        tell_indicators(t, writer.get());
        t.add(std::to_string(::__fpending(writer.get())) + " pending");
    });
}

BOOST_AUTO_TEST_CASE(files_memory_and_streams_of_bytes_are_as_with_libc) {
    check_law([](const posix_calls&, transcript& t) {
        stream_ptr file(::tmpfile());
        FILE* const f = file.get();
        t.call("fwprintf", [&] { return ::fwprintf(f, L"%ls %d\n", L"\x00fc", 12); });
        t.call("fputws", [&] { return ::fputws(L"more\n", f) >= 0 ? 0 : -1; });
        ::rewind(f);
        wchar_t word[10] = L"";
        int number = 0;
        t.call("fwscanf", [&] { return ::fwscanf(f, L"%9ls %d", word, &number); });
        t.add(told(word) + std::to_string(number));
        tell_line(t, f, 80);
        tell_line(t, f, 80);
        tell_character(t, f);
        tell_indicators(t, f);
        wchar_t* text = nullptr;
        std::size_t size = 0;
        FILE* const memory = ::open_wmemstream(&text, &size);
        t.call("fwprintf", [&] { return ::fwprintf(memory, L"%0600d", 7); });
        t.call("fputwc", [&] { return number_of(::fputwc(L'x', memory)); });
        t.call("fputws", [&] { return ::fputws(L"text", memory) >= 0 ? 0 : -1; });
        t.call("fclose", [&] { return ::fclose(memory); });
        t.add(told(text));
        std::free(text);
        descriptor_pair pair = connected_sockets(socket_kind::unix_stream);
        const stream_ptr bytes = opened(std::move(pair.a), "r+");
        ::fwide(bytes.get(), -1);
        tell_character(t, bytes.get());
        tell_line(t, bytes.get(), 10);
        t.call("fwscanf", [&] { return ::fwscanf(bytes.get(), L"%d", &number); });
        t.call("fputwc", [&] { return number_of(::fputwc(L'x', bytes.get())); });
        t.call("fputws", [&] { return ::fputws(L"x", bytes.get()) >= 0 ? 0 : -1; });
        t.call("fwprintf", [&] { return ::fwprintf(bytes.get(), L"x"); });
        t.call("ungetwc", [&] { return number_of(::ungetwc(L'x', bytes.get())); });
        tell_indicators(t, bytes.get());
    });
}

BOOST_AUTO_TEST_SUITE_END()
