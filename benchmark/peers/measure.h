// SPDX-License-Identifier: BSL-1.0
// What every measuring program in C or C++ shares: its parameters, its clocks, its line of JSON. It
// is C, so that the programs in C have it, too.
#ifndef COIR_BENCHMARK_MEASURE_H
#define COIR_BENCHMARK_MEASURE_H

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#endif

/// The number that follows `name` ("--fibers") on the command line, or `otherwise`.
static inline double argument(int argc, char** argv, const char* name, double otherwise) {
    for (int i = 1; i + 1 < argc; ++i) {
        if (strcmp(argv[i], name) == 0) {
            return strtod(argv[i + 1], NULL);
        }
    }
    return otherwise;
}

/// Ends the program with a message unless the result is what it must be.
static inline void require(int holds, const char* message) {
    if (!holds) {
        fprintf(stderr, "wrong result: %s\n", message);
        exit(1);
    }
}

static inline double clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

/// The processor time of all threads of this process: what others do on the machine disturbs it
/// less than it disturbs the time that passes.
static inline double cpu_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

static inline double wall_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

/// Pins the calling thread to one of these cores: the first, the second... They are those that
/// sched_getaffinity() has told of before any thread was pinned.
static inline void pin_this_thread(const cpu_set_t* cores, int which) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(core, cores) && which-- == 0) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(core, &one);
            require(sched_setaffinity(0, sizeof one, &one) == 0, "a core cannot be had");
            return;
        }
    }
    require(0, "there are too few cores");
}

/// A number of bytes from /proc/self/status: "VmRSS" is resident memory, "VmPTE" page tables.
static inline double memory_bytes(const char* what) {
    char line[256];
    double kibibytes = -1;
    FILE* status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, what, strlen(what)) == 0) {
            kibibytes = strtod(line + strlen(what) + 1, NULL);
        }
    }
    require(status && kibibytes >= 0, "/proc/self/status does not tell");
    fclose(status);
    return kibibytes * 1024;
}

/// A stretch of processor time that work is counted in:
///
///     struct window window = open_window(seconds);
///     do {
///         // a batch that is long beside a reading of the clock, which is a system call
///     } while (window_is_open(&window));
///     report_each_ns(window.spent_ns, count);
///
/// Under Valgrind's callgrind, with --collect-atstart=no, it is what instructions are counted in.
struct window {
    double start_ns;
    double length_ns;
    double spent_ns;
};

static inline struct window open_window(double seconds) {
    struct window window = {cpu_ns(), 1e9 * seconds, 0};
    CALLGRIND_TOGGLE_COLLECT;
    return window;
}

static inline int window_is_open(struct window* window) {
    window->spent_ns = cpu_ns() - window->start_ns;
    if (window->spent_ns < window->length_ns) {
        return 1;
    }
    CALLGRIND_TOGGLE_COLLECT;
    return 0;
}

/// Prints the one line that the suite reads, in parts: the value, further numbers, and at last what
/// was checked.
static inline void report_value(double value, const char* unit) {
    printf("{\"value\": %.6g, \"unit\": \"%s\"", value, unit);
}

static inline void report_count(double count) { printf(", \"count\": %.17g", count); }

/// The value is a part of the time that so many things have taken together.
static inline void report_each_ns(double spent_ns, double count) {
    report_value(spent_ns / count, "ns");
    report_count(count);
}

static inline void report_each_us(double spent_ns, double count) {
    report_value(spent_ns / count / 1e3, "us");
    report_count(count);
}

static inline void report_number(const char* key, double number) {
    printf(", \"%s\": %.6g", key, number);
}

static inline void report_text(const char* key, const char* text) {
    printf(", \"%s\": \"%s\"", key, text);
}

__attribute__((format(printf, 1, 2))) static inline void report_checked(const char* format, ...) {
    va_list values;
    va_start(values, format);
    printf(", \"checked\": \"");
    vprintf(format, values);
    printf("\"}\n");
    va_end(values);
    fflush(stdout);
}

#endif
