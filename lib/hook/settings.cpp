// SPDX-License-Identifier: BSL-1.0
#include "hook/settings.hpp"

#include <pthread.h>
#include <unistd.h>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace coir::hook::detail {

constinit settings chosen;
constinit std::atomic<bool> has_vforked = false;

namespace {

constinit pid_t process = 0;

void remember_process() noexcept { process = ::getpid(); }

// 0 if the word is none of that kind, or no number stands there.
int milliseconds_after(std::string_view kind, std::string_view word) noexcept {
    int number = 0;
    if (word.substr(0, kind.size()) != kind) {
        return 0;
    }
    const char* const end = word.data() + word.size();
    const auto [stopped, error] = std::from_chars(word.data() + kind.size(), end, number);
    return error == std::errc() && stopped == end ? number : 0;
}

void choose(std::string_view word) noexcept {
    if (word == "off") {
        chosen.on = false;
    } else if (word == "quiet") {
        chosen.quiet = true;
    } else if (word == "held-mutexes") {
        chosen.held_mutexes = true;
    } else if (word == "keys") {
        chosen.fiber_local_keys = true;
    } else if (word == "watchdog") {
        chosen.watchdog = std::chrono::milliseconds(10);
    } else if (const int threshold = milliseconds_after("watchdog=", word); threshold > 0) {
        chosen.watchdog = std::chrono::milliseconds(threshold);
    } else if (!word.empty()) {
        std::fprintf(stderr,
                     "coir::hook: COIR_HOOK has the word '%.*s'; known are off, quiet, "
                     "held-mutexes, keys, watchdog and watchdog=MILLISECONDS\n",
                     static_cast<int>(word.size()), word.data());
    }
}

[[gnu::constructor(102)]] void read_environment() noexcept {
    const char* const text = std::getenv("COIR_HOOK");
    remember_process();
    ::pthread_atfork(nullptr, nullptr, remember_process);
    chosen.on = true;
    std::string_view rest = text != nullptr ? text : "";
    while (!rest.empty()) {
        const std::size_t end = rest.find(',');
        choose(rest.substr(0, end));
        rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    }
    chosen.read = true;
}

}  // namespace

bool is_in_own_process() noexcept { return ::getpid() == process; }

}  // namespace coir::hook::detail
