// SPDX-License-Identifier: BSL-1.0
// Streams of stdio that are no files on disk: a script of calls gives in a fiber what it gives on a
// thread, where it is libc's own.
#include "hook/signals.hpp"
#include "hook/streams.hpp"

#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <wchar.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

void tell_indicators(transcript& t, FILE* stream) {
    t.add("end " + std::to_string(::feof(stream) != 0) + ", error " +
          std::to_string(::ferror(stream) != 0));
}

// A line, with what it left of the buffer; or that there was none.
void tell_line(transcript& t, FILE* stream, int size) {
    std::string text(100, '#');
    t.call("fgets", [&] { return ::fgets(text.data(), size, stream) == text.data() ? 0 : -1; });
    t.add(printable(text.substr(0, 90)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hooked_stdio_law)

BOOST_DATA_TEST_CASE(lines_characters_and_bytes_are_read_as_by_libc,
                     data::make(channels) * data::make(bufferings), kind, mode) {
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        const stream_ptr stream = opened(std::move(pair.a), "r", mode);
        FILE* const f = stream.get();
        const slow_writer peer(std::move(pair.b),
                               {"one\ntw", "o\n", std::string("z\0z\n", 4),
                                "abcdefghijklmnopqrstuvwxyz", "0123456789\n", "field;", "another;x",
                                "12 apples 0x1fz", "-7,q\n", "bytes and by", "tes", "\nlast"});
        tell_line(t, f, 80);
        tell_line(t, f, 80);
        tell_line(t, f, 80);
        tell_line(t, f, 1);
        tell_line(t, f, 0);
        tell_line(t, f, 11);
        t.call("fgetc", [&] { return ::fgetc(f); });
        t.call("ungetc", [&] { return ::ungetc('K', f); });
        t.call("ungetc again", [&] { return ::ungetc('L', f); });
        tell_line(t, f, 80);
        char* line = nullptr;
        std::size_t capacity = 0;
        t.call("getdelim", [&] { return ::getdelim(&line, &capacity, ';', f); });
        t.add(line);
        t.call("getdelim", [&] { return ::getdelim(&line, &capacity, ';', f); });
        t.add(line);
        std::free(line);
        t.call("getc", [&] { return ::getc(f); });
        int number = -1;
        unsigned hex = 0;
        char word[10] = "";
        t.call("fscanf", [&] { return ::fscanf(f, "%d %9s %x", &number, word, &hex); });
        t.add(std::to_string(number) + word + std::to_string(hex));
        t.call("fscanf of a wrong one", [&] { return ::fscanf(f, "%d", &number); });
        t.call("fgetc", [&] { return ::fgetc(f); });
        t.call("fscanf", [&] { return ::fscanf(f, "%d,%x", &number, &hex); });
        t.call("fgetc", [&] { return ::fgetc(f); });
        t.call("fgetc", [&] { return ::fgetc(f); });
        std::string bytes(15, '#');
        t.call("fread", [&] { return int(::fread(bytes.data(), 5, 3, f)); });
        t.add(bytes);
        t.call("fread", [&] { return int(::fread(bytes.data(), 4, 3, f)); });
        t.add(printable(bytes));
        tell_indicators(t, f);
        tell_line(t, f, 80);
        t.call("fscanf at the end", [&] { return ::fscanf(f, "%d", &number); });
        t.call("ungetc at the end", [&] { return ::ungetc('u', f); });
        tell_indicators(t, f);
        t.call("fgetc", [&] { return ::fgetc(f); });
        t.call("fgetc", [&] { return ::fgetc(f); });
        tell_indicators(t, f);
        ::clearerr(f);
        tell_indicators(t, f);
        t.call("fgetc", [&] { return ::fgetc(f); });
        t.call("fputc to what is read", [&] { return ::fputc('x', f); });
        tell_indicators(t, f);
        t.call("ftell", [&] { return ::ftell(f); });
    });
}

BOOST_DATA_TEST_CASE(a_large_read_is_as_by_libc, data::make(channels) * data::make(bufferings),
                     kind, mode) {
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        const stream_ptr stream = opened(std::move(pair.a), "r", mode);
        const std::string sent = pattern(100'000);
        const slow_writer peer(std::move(pair.b), {sent.substr(0, 50'000), sent.substr(50'000, 7),
                                                   sent.substr(50'007)});
        std::string got(120'000, '#');
        t.call("fgetc", [&] { return ::fgetc(stream.get()); });
        t.call("fread", [&] { return int(::fread(got.data(), 1, 60'000, stream.get())); });
        t.call("fread", [&] { return int(::fread(got.data() + 60'000, 3, 20'000, stream.get())); });
        t.add(got.substr(0, 99'999) == sent.substr(1) ? "all of it" : "something else");
        tell_indicators(t, stream.get());
    });
}

BOOST_DATA_TEST_CASE(a_signal_ends_a_read_of_a_stream_as_with_libc,
                     data::make(channels) * data::make({0, SA_RESTART}), kind, flags) {
    check_law([&](const posix_calls&, transcript& t) {
        const with_handler handler(SIGUSR1, count_handled, flags);
        descriptor_pair pair = ends(kind);
        const stream_ptr stream = opened(std::move(pair.a), "r", bufferings[0]);
        {
            const pesterer signals(::pthread_self(), SIGUSR1,
                                   [&] { must(::write(pair.b.get(), "line\n", 5) == 5); });
            tell_line(t, stream.get(), 80);
        }
        tell_indicators(t, stream.get());
    });
}

// A pipe's and a socket's peer sees the same at the same time.
BOOST_DATA_TEST_CASE(what_is_written_leaves_the_buffer_as_with_libc,
                     data::make(channels) * data::make(bufferings), kind, mode) {
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        const unique_fd peer = std::move(pair.a);
        stream_ptr stream = opened(std::move(pair.b), "w", mode);
        FILE* const f = stream.get();
        const auto tell = [&](const char* what, auto make) {
            t.call(what, make);
            if (kind == channel::pipe) {
                t.add(std::to_string(unread(peer.get())) + " written, " +
                      std::to_string(::__fpending(f)) + " pending");
            }
        };
        tell("fputc", [&] { return ::fputc('a', f); });
        tell("fputc of a newline", [&] { return ::fputc('\n', f); });
        tell("fputs", [&] { return ::fputs("some text", f) >= 0 ? 0 : -1; });
        tell("fputs of two lines", [&] { return ::fputs("line\nhalf a line", f) >= 0 ? 0 : -1; });
        tell("fputs of a long text", [&] {
            return ::fputs("0123456789\n0123456789abcdef0123456789\nabc", f) >= 0 ? 0 : -1;
        });
        tell("fputs of nothing", [&] { return ::fputs("", f) >= 0 ? 0 : -1; });
        tell("fwrite", [&] { return int(::fwrite("abcdefghi", 3, 3, f)); });
        tell("fwrite of nothing", [&] { return int(::fwrite("abcdefghi", 0, 3, f)); });
        tell("fprintf", [&] { return ::fprintf(f, "%5d|%-5s|%.3f\n", 42, "ab", 1.5); });
        tell("fprintf of an error", [&] { return ::fprintf(f, asking_for_errno(), "errno"); });
        tell("fprintf of nothing", [&] { return ::fprintf(f, "%s", ""); });
        const std::string longer(2'000, 'l');
        tell("fprintf of a long text", [&] { return ::fprintf(f, "<%s>\n", longer.c_str()); });
        tell("fprintf that fails half-way",
             [&] { return ::fprintf(f, "before %lc after", static_cast<wint_t>(0x7fff'fff0)); });
        tell("fflush", [&] { return ::fflush(f); });
        tell("putc", [&] { return ::putc('z', f); });
        tell("fflush of all", [&] { return ::fflush(nullptr); });
        const std::string block = pattern(9'000);
        tell("fwrite of blocks", [&] { return int(::fwrite(block.data(), 1, block.size(), f)); });
        tell("ftell", [&] { return ::ftell(f); });
        tell("fgetc from what is written", [&] { return ::fgetc(f); });
        tell_indicators(t, f);
        t.call("fclose", [&] { return ::fclose(stream.release()); });
        std::string all(20'000, '#');
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
        const std::string block = pattern(300'000);
        t.call("fwrite", [&] { return int(::fwrite(block.data(), 3, 100'000, f)); });
        t.call("fprintf", [&] { return ::fprintf(f, "%s,%d", block.c_str() + 100'000, 7); });
        for (int i = 0; i < 20'000; ++i) {
            if (::fputc('a' + i % 26, f) == EOF || ::fputs("\n", f) < 0) {
                t.add("a failure");
            }
        }
        t.call("fclose", [&] { return ::fclose(stream.release()); });
        const std::string all = peer.all();
        t.add(std::to_string(all.size()) + " " + std::to_string(std::hash<std::string>()(all)));
    });
}

BOOST_DATA_TEST_CASE(a_peer_that_is_gone_is_told_of_as_by_libc, data::make(channels), kind) {
    const auto ignored = ::signal(SIGPIPE, SIG_IGN);
    check_law([&](const posix_calls&, transcript& t) {
        descriptor_pair pair = ends(kind);
        pair.a.reset();
        stream_ptr stream = opened(std::move(pair.b), "w");
        FILE* const f = stream.get();
        t.call("fputs", [&] { return ::fputs("text", f) >= 0 ? 0 : -1; });
        t.call("fflush", [&] { return ::fflush(f); });
        tell_indicators(t, f);
        t.add(std::to_string(::__fpending(f)) + " pending");
        t.call("fprintf", [&] { return ::fprintf(f, "%s", std::string(10'000, 'x').c_str()); });
        ::clearerr(f);
        t.call("fputs", [&] { return ::fputs("text", f) >= 0 ? 0 : -1; });
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
        t.call("fputs", [&] { return ::fputs("question\n", f) >= 0 ? 0 : -1; });
        tell_line(t, f, 80);
        t.call("fputs", [&] { return ::fputs("again\nand more\n", f) >= 0 ? 0 : -1; });
        tell_line(t, f, 80);
        t.call("fputs over what was not read", [&] { return ::fputs("third\n", f) >= 0 ? 0 : -1; });
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
        descriptor_pair out = pipe_ends();
        fill(out.b.get());
        set_nonblocking(out.b.get());
        const stream_ptr writer = opened(std::move(out.b), "w");
        t.call("fputs", [&] { return ::fputs("text", writer.get()) >= 0 ? 0 : -1; });
        t.call("fflush", [&] { return ::fflush(writer.get()); });
        tell_indicators(t, writer.get());
    });
}

BOOST_AUTO_TEST_CASE(files_and_memory_are_as_with_libc) {
    check_law([](const posix_calls&, transcript& t) {
        stream_ptr file(::tmpfile());
        FILE* const f = file.get();
        t.call("fprintf", [&] { return ::fprintf(f, "%s %d\n", "text", 12); });
        t.call("fputs", [&] { return ::fputs("more\n", f) >= 0 ? 0 : -1; });
        t.call("ftell", [&] { return ::ftell(f); });
        ::rewind(f);
        char word[10] = "";
        int number = 0;
        t.call("fscanf", [&] { return ::fscanf(f, "%9s %d", word, &number); });
        tell_line(t, f, 80);
        t.call("ftell", [&] { return ::ftell(f); });
        tell_line(t, f, 80);
        t.call("fseek", [&] { return ::fseek(f, 2, SEEK_SET); });
        std::string bytes(30, '#');
        t.call("fread", [&] { return int(::fread(bytes.data(), 1, 30, f)); });
        t.add(printable(bytes));
        tell_indicators(t, f);
        char* text = nullptr;
        std::size_t size = 0;
        FILE* const memory = ::open_memstream(&text, &size);
        t.call("fprintf", [&] { return ::fprintf(memory, "%0600d", 7); });
        t.call("fputc", [&] { return ::fputc('x', memory); });
        t.call("fclose", [&] { return ::fclose(memory); });
        t.add(text);
        std::free(text);
    });
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_opened_anew_is_written_out_as_by_libc) {
    check_law([](const posix_calls&, transcript& t) {
        descriptor_pair pair = pipe_ends();
        const stream_ptr stream = opened(std::move(pair.b), "w");
        FILE* const f = stream.get();
        t.call("fputs", [&] { return ::fputs("text", f) >= 0 ? 0 : -1; });
        t.call("setvbuf", [&] { return ::setvbuf(f, nullptr, _IOLBF, 0); });
        t.call("putw", [&] { return ::putw(0x41424344, f); });
        t.call("freopen", [&] { return ::freopen("/dev/zero", "r", f) == f ? 0 : -1; });
        t.call("getw", [&] { return ::getw(f); });
        char text[100];
        const ssize_t size = ::read(pair.a.get(), text, sizeof text);
        must(size > 0);
        t.add(printable(std::string(text, std::size_t(size))));
        t.call("read", [&] { return ::read(pair.a.get(), text, sizeof text); });
    });
}

BOOST_AUTO_TEST_CASE(streams_of_wide_characters_refuse_bytes_as_with_libc) {
    check_law([](const posix_calls&, transcript& t) {
        descriptor_pair pair = connected_sockets(socket_kind::unix_stream);
        must(::write(pair.b.get(), "text", 4) == 4);
        const stream_ptr stream = opened(std::move(pair.a), "r+");
        FILE* const f = stream.get();
        t.call("fwide", [&] { return ::fwide(f, 1) > 0 ? 0 : -1; });
        t.call("fgetc", [&] { return ::fgetc(f); });
        tell_line(t, f, 20);
        t.call("fputs", [&] { return ::fputs("text", f) >= 0 ? 0 : -1; });
        t.call("fputc", [&] { return ::fputc('x', f); });
        t.call("fprintf", [&] { return ::fprintf(f, "%d", 1); });
        t.call("fflush", [&] { return ::fflush(f); });
        tell_indicators(t, f);
    });
}

BOOST_AUTO_TEST_SUITE_END()
