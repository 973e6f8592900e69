// SPDX-License-Identifier: BSL-1.0
#include "hook/settings.hpp"

#include <coir/hook/hook.hpp>

#include <pthread.h>
#include <unistd.h>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>

// The program has one, or has none.
#pragma weak coir_hook_default_options

namespace coir::hook::detail {

constinit settings chosen;
constinit std::atomic<bool> has_vforked = false;

namespace {

constinit pid_t process = 0;

void remember_process() noexcept { process = ::getpid(); }

struct flag {
    std::string_view word;
    bool settings::*where;
};

constexpr flag flags[] = {
    {"on", &settings::on},
    {"quiet", &settings::quiet},
    {"held-mutexes", &settings::held_mutexes},
    {"keys", &settings::fiber_local_keys},
    {"files", &settings::files},
};

constexpr std::chrono::milliseconds default_threshold(10);

bool cut_off(std::string_view& word, std::string_view prefix) noexcept {
    if (word.substr(0, prefix.size()) != prefix) {
        return false;
    }
    word.remove_prefix(prefix.size());
    return true;
}

// 0 if it is no number, or none above 0.
int positive_number(std::string_view text) noexcept {
    int number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stopped == end && number > 0 ? number : 0;
}

// False if there is no such word.
bool choose(std::string_view word) noexcept {
    if (word == "off") {
        word = "no-on";
    }
    const bool wanted = !cut_off(word, "no-");
    for (const flag& f : flags) {
        if (word == f.word) {
            chosen.*f.where = wanted;
            return true;
        }
    }
    if (word == "watchdog") {
        chosen.watchdog = wanted ? default_threshold : std::chrono::milliseconds(0);
        return true;
    }
    if (wanted && cut_off(word, "watchdog=")) {
        chosen.watchdog = std::chrono::milliseconds(positive_number(word));
        return chosen.watchdog.count() > 0;
    }
    return false;
}

void choose_all(const char* source, const char* text) noexcept {
    std::string_view rest = text != nullptr ? text : "";
    while (!rest.empty()) {
        const std::string_view word = rest.substr(0, rest.find(','));
        rest.remove_prefix(word.size() < rest.size() ? word.size() + 1 : word.size());
        if (!word.empty() && !choose(word)) {
            std::fprintf(stderr,
                         "coir::hook: %s has the word '%.*s'; known are off, quiet, held-mutexes, "
                         "keys, files, watchdog and watchdog=MILLISECONDS, and on and no-quiet, "
                         "no-held-mutexes, no-keys, no-files and no-watchdog, which take them "
                         "back\n",
                         source, static_cast<int>(word.size()), word.data());
        }
    }
}

[[gnu::constructor(102)]] void read_settings() noexcept {
    remember_process();
    ::pthread_atfork(nullptr, nullptr, remember_process);
    chosen.on = true;
    if (&::coir_hook_default_options != nullptr) {
        choose_all("coir_hook_default_options()", ::coir_hook_default_options());
    }
    choose_all("COIR_HOOK", std::getenv("COIR_HOOK"));
    chosen.read = true;
}

}  // namespace

bool is_in_own_process() noexcept { return ::getpid() == process; }

}  // namespace coir::hook::detail
