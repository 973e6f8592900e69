// SPDX-License-Identifier: BSL-1.0
// Streams of stdio that are no files on disk. First the law: a script of calls gives in a fiber
// what it gives on a thread, where it is libc's own. Then what only fibers have: who waits in a
// call leaves the thread to others, and keeps the stream for itself.
#include "hook/callers.hpp"
#include "hook/overlap.hpp"
#include "hook/scopes.hpp"
#include "integration/posix/law.hpp"
#include "support/temporary.hpp"

#include <coir/cancellation.hpp>

#include <stdio.h>
#include <stdio_ext.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <array>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <ext/stdio_sync_filebuf.h>
#include <fstream>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

struct closer {
    void operator()(FILE* stream) const { ::fclose(stream); }
};
using stream_ptr = std::unique_ptr<FILE, closer>;

enum class channel { pipe, socket };
std::ostream& operator<<(std::ostream& out, channel kind) {
    return out << (kind == channel::pipe ? "a pipe" : "a socket");
}

enum class buffering { full, small, by_line, none };
std::ostream& operator<<(std::ostream& out, buffering mode) {
    constexpr const char* names[] = {"full", "small", "by line", "none"};
    return out << names[static_cast<std::size_t>(mode)];
}

constexpr channel channels[] = {channel::pipe, channel::socket};
constexpr buffering bufferings[] = {buffering::full, buffering::small, buffering::by_line,
                                    buffering::none};

descriptor_pair ends(channel kind) {
    return kind == channel::pipe ? pipe_ends() : connected_sockets(socket_kind::unix_stream);
}

stream_ptr opened(unique_fd fd, const char* mode, buffering how = buffering::full) {
    FILE* const stream = ::fdopen(fd.release(), mode);
    must(stream != nullptr);
    // To a buffer of less than 128 bytes libc writes printf's text in pieces.
    const std::size_t small_size = *mode == 'w' ? 150 : 16;
    static std::array<char, 150> small_buffers[4];  // more than there are streams at once
    static std::size_t next = 0;
    char* const small = small_buffers[next++ % 4].data();
    must(how == buffering::full ||
         (how == buffering::small && ::setvbuf(stream, small, _IOFBF, small_size) == 0) ||
         (how == buffering::by_line && ::setvbuf(stream, nullptr, _IOLBF, 0) == 0) ||
         (how == buffering::none && ::setvbuf(stream, nullptr, _IONBF, 0) == 0));
    return stream_ptr(stream);
}

// Writes to a descriptor, bit by bit and with pauses, and lets go of it.
class slow_writer {
public:
    slow_writer(unique_fd to, std::vector<std::string> bits)
        : thread_([to = std::move(to), bits = std::move(bits)] {
              for (const std::string& bit : bits) {
                  std::this_thread::sleep_for(milliseconds(5));
                  must(::write(to.get(), bit.data(), bit.size()) == ssize_t(bit.size()));
              }
              std::this_thread::sleep_for(milliseconds(5));
          }) {}
    slow_writer(const slow_writer&) = delete;
    slow_writer& operator=(const slow_writer&) = delete;
    ~slow_writer() { thread_.join(); }

private:
    std::thread thread_;
};

// Reads all that comes, slowly, and then is asked for it.
class slow_reader {
public:
    explicit slow_reader(unique_fd from)
        : thread_([this, from = std::move(from)] {
              std::array<char, 20'000> buffer;
              for (ssize_t got = 1; got > 0;) {
                  std::this_thread::sleep_for(milliseconds(2));
                  got = ::read(from.get(), buffer.data(), buffer.size());
                  text_.append(buffer.data(), std::size_t(std::max<ssize_t>(got, 0)));
              }
          }) {}
    slow_reader(const slow_reader&) = delete;
    slow_reader& operator=(const slow_reader&) = delete;
    ~slow_reader() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    std::string all() {
        thread_.join();
        return text_;
    }

private:
    std::string text_;
    std::thread thread_;
};

std::string printable(const std::string& text) {
    std::string result;
    for (const char c : text) {
        result += c == '\0' ? std::string("\\0") : c == '\n' ? "\\n" : std::string(1, c);
    }
    return result;
}

void tell_indicators(transcript& t, FILE* stream) {
    t.add("end " + std::to_string(::feof(stream) != 0) + ", error " +
          std::to_string(::ferror(stream) != 0));
}

int unread(int fd) {
    int size = -1;
    must(::ioctl(fd, FIONREAD, &size) == 0);
    return size;
}

// A line, with what it left of the buffer; or that there was none.
void tell_line(transcript& t, FILE* stream, int size) {
    std::string text(100, '#');
    t.call("fgets", [&] { return ::fgets(text.data(), size, stream) == text.data() ? 0 : -1; });
    t.add(printable(text.substr(0, 90)));
}

void fill(int fd) {
    set_nonblocking(fd);
    const std::string block(4096, 'x');
    while (::write(fd, block.data(), block.size()) > 0) {
    }
    while (::write(fd, "x", 1) > 0) {
    }
    set_nonblocking(fd, false);
}

// The standard error of the program, where perror() and a syslog() with LOG_PERROR write.
class standard_error_in {
public:
    explicit standard_error_in(int fd) : before_(::dup(STDERR_FILENO)) {
        must(::dup2(fd, STDERR_FILENO) == STDERR_FILENO);
    }
    standard_error_in(const standard_error_in&) = delete;
    standard_error_in& operator=(const standard_error_in&) = delete;
    ~standard_error_in() { ::dup2(before_.get(), STDERR_FILENO); }

private:
    const unique_fd before_;
};

struct text_call {
    const char* name;
    int (*make)(FILE* stream);  // -1 if it fails
};
std::ostream& operator<<(std::ostream& out, const text_call& call) { return out << call.name; }

// Not one of the standard's formats.
const char* asking_for_errno() { return "errno: %m\n"; }

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

// The law.

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
        tell("fprintf of an error", [&] { return ::fprintf(f, asking_for_errno()); });
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

BOOST_AUTO_TEST_CASE(reasons_are_told_as_by_libc) {
    check_law([](const posix_calls&, transcript& t) {
        descriptor_pair pair = pipe_ends();
        {
            const standard_error_in pipe(pair.b.get());
            for (const char* const prefix : {"prefix", "", static_cast<const char*>(nullptr)}) {
                errno = ENOENT;
                ::perror(prefix);
            }
        }
        char text[1000];
        const ssize_t size = ::read(pair.a.get(), text, sizeof text);
        must(size > 0);
        t.add(printable(std::string(text, std::size_t(size))));
    });
}

// Other fibers.

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

BOOST_DATA_TEST_CASE(a_call_has_the_stream_for_itself, data::make(casts), cast) {
    const time_bomb bomb;
    descriptor_pair pair = pipe_ends();
    const stream_ptr stream = opened(std::move(pair.a), "r");
    std::array<std::string, 2> lines;
    std::atomic<int> reading{0};
    std::thread writer([&] {
        while (reading < 2) {
            std::this_thread::sleep_for(milliseconds(1));
        }
        for (const char* const bit : {"first ", "line\nsecond", " line\n"}) {
            std::this_thread::sleep_for(milliseconds(10));
            COIR_MUST(::write(pair.b.get(), bit, std::strlen(bit)) > 0);
        }
    });
    FILE* const f = stream.get();
    const auto read_into = [&reading, f](std::string& line) {
        char text[100];
        ++reading;
        COIR_MUST(::fgets(text, sizeof text, f) == text);
        line = text;
    };
    cast.play([&] { read_into(lines[0]); }, [&] { read_into(lines[1]); });
    writer.join();
    if (lines[0] > lines[1]) {
        std::swap(lines[0], lines[1]);
    }
    BOOST_TEST(lines[0] == "first line\n");
    BOOST_TEST(lines[1] == "second line\n");
}

BOOST_DATA_TEST_CASE(a_stream_that_is_locked_is_the_fibers, data::make(casts), cast) {
    const time_bomb bomb;
    descriptor_pair pair = pipe_ends();
    stream_ptr stream = opened(std::move(pair.b), "w", buffering::none);
    FILE* const f = stream.get();
    const auto write_sentence = [f](const char* name) {
        for (int i = 0; i < 5; ++i) {
            ::flockfile(f);
            ::flockfile(f);
            COIR_MUST(::fprintf(f, "%s", name) == 1);
            ::usleep(1'000);
            COIR_MUST(::fputs(name, f) >= 0);
            ::funlockfile(f);
            COIR_MUST(::putc(*name, f) == *name);
            ::funlockfile(f);
            ::usleep(100);
        }
    };
    cast.play([&] { write_sentence("a"); }, [&] { write_sentence("b"); });
    stream.reset();
    char text[100] = "";
    BOOST_TEST(::read(pair.a.get(), text, sizeof text) == 30);
    for (int i = 0; i < 30; i += 3) {
        BOOST_TEST(text[i] == text[i + 1]);
        BOOST_TEST(text[i] == text[i + 2]);
    }
}

BOOST_AUTO_TEST_CASE(a_stream_that_another_fiber_holds_cannot_be_locked) {
    coir::run([] {
        descriptor_pair pair = pipe_ends();
        const stream_ptr stream = opened(std::move(pair.a), "r");
        ::flockfile(stream.get());
        BOOST_TEST(::ftrylockfile(stream.get()) == 0);
        coir::fiber other([&] { BOOST_TEST(::ftrylockfile(stream.get()) != 0); });
        other.join();
        ::funlockfile(stream.get());
        ::funlockfile(stream.get());
        coir::fiber next([&] {
            BOOST_TEST(::ftrylockfile(stream.get()) == 0);
            ::funlockfile(stream.get());
        });
        next.join();
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
                    ::syslog(LOG_DEBUG, asking_for_errno());
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

BOOST_AUTO_TEST_CASE(who_tells_a_reason_leaves_the_thread_to_others) {
    const time_bomb bomb;
    coir::run([] {
        descriptor_pair pair = pipe_ends();
        fill(pair.b.get());
        const standard_error_in full(pair.b.get());
        coir::fiber teller([] {
            errno = ENOENT;
            ::perror("first");
            ::perror("second");
        });
        std::string text;
        std::array<char, 100'000> buffer;
        while (text.find("second: No such file or directory\n") == text.npos) {
            const ssize_t got = ::read(pair.a.get(), buffer.data(), buffer.size());
            BOOST_REQUIRE(got > 0);
            text.append(buffer.data(), std::size_t(got));
        }
        teller.join();
        BOOST_TEST(text.find("first: No such file or directory\n") != text.npos);
    });
}

BOOST_AUTO_TEST_CASE(who_opens_a_fifo_leaves_the_thread_to_others) {
    const time_bomb bomb;
    const temporary_folder folder;
    const std::string name = folder.path() + "/fifo";
    BOOST_REQUIRE(::mkfifo(name.c_str(), 0600) == 0);
    coir::run([&] {
        coir::fiber reader([&] {
            const stream_ptr stream(::fopen(name.c_str(), "r"));
            BOOST_REQUIRE(stream != nullptr);
            BOOST_TEST(::fgetc(stream.get()) == 'x');
        });
        ::usleep(1'000);
        const stream_ptr stream(::fopen(name.c_str(), "w"));
        BOOST_REQUIRE(stream != nullptr);
        BOOST_TEST(::fputc('x', stream.get()) == 'x');
        BOOST_TEST(::fflush(stream.get()) == 0);
        reader.join();
    });
    check_scopes_reach_into([&] { return when(::fopen(name.c_str(), "r") != nullptr); });
    // The threads that wait in libc go on, and leave nothing open.
    const unique_fd other(::open(name.c_str(), O_WRONLY));
    pollfd without_readers{other.get(), 0, 0};
    BOOST_TEST(::poll(&without_readers, 1, 10'000) == 1);
    BOOST_TEST(without_readers.revents == POLLERR);
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
