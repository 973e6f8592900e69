// SPDX-License-Identifier: BSL-1.0
// Who holds a stream of stdio: whoever is in a call on it, or has locked it.
#include "hook/callers.hpp"
#include "hook/streams.hpp"

#include <stdio.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

using namespace coir::test;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(held_streams)

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

BOOST_DATA_TEST_CASE(a_text_is_written_in_one_piece, data::make(casts), cast) {
    const time_bomb bomb;
    constexpr std::size_t size = 200'000;
    descriptor_pair pair = pipe_ends();
    slow_reader peer(std::move(pair.a));
    stream_ptr stream = opened(std::move(pair.b), "w");
    FILE* const f = stream.get();
    const auto write_text = [f](char c) {
        const std::string text(size, c);
        COIR_MUST(::fprintf(f, "%s", text.c_str()) == int(size));
    };
    cast.play([&] { write_text('a'); }, [&] { write_text('b'); });
    stream.reset();
    const std::string all = peer.all();
    BOOST_TEST(all.size() == 2 * size);
    BOOST_TEST(all.find_first_not_of(all.front()) == size);
    BOOST_TEST(all.find_last_not_of(all.back()) == size - 1);
}

// As in libc; there the thread waits.
BOOST_AUTO_TEST_CASE(fclose_waits_for_who_is_in_a_call) {
    const time_bomb bomb;
    coir::run([] {
        descriptor_pair pair = pipe_ends();
        stream_ptr stream = opened(std::move(pair.a), "r");
        FILE* const f = stream.get();
        bool has_read = false;
        coir::fiber reader([&] {
            char text[10];
            BOOST_TEST(::fgets(text, sizeof text, f) == text);
            has_read = true;
        });
        ::usleep(1'000);
        coir::fiber closer([&] {
            stream.reset();
            BOOST_TEST(has_read);
        });
        ::usleep(1'000);
        BOOST_TEST(::write(pair.b.get(), "line\n", 5) == 5);
        reader.join();
        closer.join();
    });
}

BOOST_AUTO_TEST_CASE(a_reader_does_not_keep_the_others_from_being_flushed) {
    const time_bomb bomb;
    coir::run([] {
        descriptor_pair in = pipe_ends();
        const stream_ptr reading = opened(std::move(in.a), "r");
        descriptor_pair out = pipe_ends();
        const stream_ptr writing = opened(std::move(out.b), "w");
        coir::fiber reader([&] { BOOST_TEST(::fgetc(reading.get()) == 'x'); });
        ::usleep(1'000);
        BOOST_TEST(::fputs("text", writing.get()) >= 0);
        BOOST_TEST(::fflush(nullptr) == 0);
        BOOST_TEST(unread(out.a.get()) == 4);
        BOOST_TEST(::write(in.b.get(), "x", 1) == 1);
        reader.join();
    });
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

BOOST_AUTO_TEST_SUITE_END()
