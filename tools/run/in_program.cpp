// SPDX-License-Identifier: BSL-1.0
// What coir-run puts into the program beside the hook library: it takes the program's main and
// calls it in a fiber. That is the main fiber of a run, so main has the stack that it expects, the
// process's own.
//
// Everything that tells of coir-run is gone from the environment before main sees it, and so are
// the programs that it starts left alone.
#include "gap_record.hpp"

#include <coir/detail/interposition.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>

namespace {

using namespace coir::run_tool;
using main_function = int (*)(int, char**, char**);
using stage = gap_record::stage;

constinit gap_record* record = nullptr;
constinit main_function programs_main = nullptr;

// The process that is watched: not the children that it forks, which share the record.
constinit pid_t watched = 0;

// Takes the first entries out.
void restore_preload() {
    const char* const present = std::getenv("LD_PRELOAD");
    std::string rest = present != nullptr ? present : "";
    for (int i = 0; i < libraries; ++i) {
        const std::size_t end = rest.find(':');
        rest = end != rest.npos ? rest.substr(end + 1) : "";
    }
    if (rest.empty()) {
        ::unsetenv("LD_PRELOAD");
    } else {
        ::setenv("LD_PRELOAD", rest.c_str(), 1);
    }
}

[[gnu::constructor(101)]] void take_record() {
    const char* const text = std::getenv(variable);
    if (text == nullptr) {
        return;
    }
    const int fd = std::atoi(text);
    void* const place =
        ::mmap(nullptr, sizeof(gap_record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    ::unsetenv(variable);
    restore_preload();
    if (place != MAP_FAILED) {
        record = static_cast<gap_record*>(place);
        record->reached = stage::not_begun;
        watched = ::getpid();
    }
}

// The thread that looks what the fibers' thread is at, from its start to its end.
class looker {
public:
    looker() : carrier_(*coir::detail::calling_carrier()) {
        sigset_t all;
        sigset_t before;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the program's own threads
        thread_ = std::thread([this] { look(); });
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    looker(const looker&) = delete;
    looker& operator=(const looker&) = delete;
    ~looker() {
        stop_ = true;
        thread_.join();
    }

private:
    void look() noexcept {
        ::pthread_setname_np(::pthread_self(), "coir-run");
        while (!stop_) {
            std::this_thread::sleep_for(record->look_period());
            const nanoseconds present = now();
            if (record->is_overdue(present)) {
                record->add_look(coir::detail::progress_of(carrier_).asleep
                                     ? asleep
                                     : coir::hook::detail::activity_of(held_));
            }
            record->last_look = present;
        }
    }

    const coir::detail::scheduler& carrier_;
    const pid_t held_ = ::gettid();
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

void tick() {
    for (;;) {
        coir::this_fiber::sleep_for(record->interval);
        record->end_gap(now());
        ++record->ticks;
    }
}

void finish() noexcept {
    if (::getpid() == watched && record->reached == stage::running) {
        record->end_gap(now());
        record->reached = stage::over;
    }
}

// What escapes main ends the program where it was thrown, as it would without us.
int call_main(int argc, char** argv, char** environment) noexcept {
    const looker looks;
    coir::fiber ticker({"coir-run"}, tick);
    record->begun = now();
    record->last_tick = record->begun;
    record->last_look = record->begun;
    record->reached = stage::running;
    std::atexit(finish);
    const int status = programs_main(argc, argv, environment);
    if (::getpid() != watched) {
        std::exit(status);  // the fibers are the parent's
    }
    finish();
    return status;
}

int main_in_fiber(int argc, char** argv, char** environment) {
    try {
        return coir::run([&] { return call_main(argc, argv, environment); });
    } catch (const std::exception& error) {
        std::fprintf(stderr, "coir-run: the program runs without fibers: %s\n", error.what());
        record->reached = stage::without_fibers;
    }
    return programs_main(argc, argv, environment);
}

}  // namespace

extern "C" [[gnu::visibility("default")]] int __libc_start_main(main_function main, int argc,
                                                                char** argv, void (*init)(),
                                                                void (*fini)(), void (*rtld_fini)(),
                                                                void* stack_end) {
    const auto original =
        reinterpret_cast<decltype(&__libc_start_main)>(::dlsym(RTLD_NEXT, "__libc_start_main"));
    programs_main = main;
    return original(record != nullptr ? main_in_fiber : main, argc, argv, init, fini, rtld_fini,
                    stack_end);
}
