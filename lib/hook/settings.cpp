// SPDX-License-Identifier: BSL-1.0
#include "hook/settings.hpp"

#include <pthread.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace coir::hook::detail {

constinit settings chosen;
constinit std::atomic<bool> has_vforked = false;

namespace {

constinit pid_t process = 0;

void remember_process() noexcept { process = ::getpid(); }

void choose(std::string_view word) noexcept {
    if (word == "off") {
        chosen.on = false;
    } else if (word == "quiet") {
        chosen.quiet = true;
    } else if (word == "held-mutexes") {
        chosen.held_mutexes = true;
    } else if (word == "keys") {
        chosen.fiber_local_keys = true;
    } else if (!word.empty()) {
        std::fprintf(
            stderr,
            "coir::hook: COIR_HOOK has the word '%.*s'; known are off, quiet, held-mutexes "
            "and keys\n",
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
}

}  // namespace

bool is_in_own_process() noexcept { return ::getpid() == process; }

}  // namespace coir::hook::detail
