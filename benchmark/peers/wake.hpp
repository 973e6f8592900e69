// SPDX-License-Identifier: BSL-1.0
// What the programs in C++ that park a million fibers share: the memory of one, and wake-ups.
#ifndef COIR_BENCHMARK_WAKE_HPP
#define COIR_BENCHMARK_WAKE_HPP

#include "measure.h"

#include <cstddef>

struct parked_memory {
    double cpu;
    double resident;
    double page_tables;
};

inline parked_memory read_parked_memory() {
    return {cpu_ns(), memory_bytes("VmRSS"), memory_bytes("VmPTE")};
}

/// Reports what `fibers` have cost that were spawned, and have come to wait, since `before`.
inline void report_parked(const parked_memory& before, std::size_t fibers) {
    const parked_memory now = read_parked_memory();
    const auto count = static_cast<double>(fibers);
    report_value((now.resident - before.resident) / count, "bytes");
    report_number("page_table_bytes", (now.page_tables - before.page_tables) / count);
    report_number("spawn_us", (now.cpu - before.cpu) / count / 1e3);
}

inline long wakes_asked_for = 0;

/// The nanoseconds of one `wake(number)`, which returns when that fiber has run and waits again;
/// numbers below `fibers`, some of them, each many times running.
template <class Wake>
double wake_each_again_and_again(std::size_t fibers, Wake wake) {
    constexpr std::size_t chosen = 100;
    constexpr std::size_t times = 5000;
    double spent = 0;
    for (std::size_t i = 0; i < chosen; ++i) {
        const std::size_t number = i * 7919 * 104'729 % fibers;
        wake(number);
        const double start = cpu_ns();
        for (std::size_t j = 0; j < times; ++j) {
            wake(number);
        }
        spent += cpu_ns() - start;
        wakes_asked_for += times + 1;
    }
    return spent / (chosen * times);
}

/// Reports what it takes to wake one of so many, as a ratio to what it took among ten; and, as it
/// finds nothing of it in the caches, one that has not run for long.
template <class Wake>
void report_wakes(std::size_t fibers, double ten_ns, Wake wake) {
    const double one_ns = wake_each_again_and_again(fibers, wake);
    report_number("wake_ns", one_ns);
    report_number("wake_ten_ns", ten_ns);
    report_number("wake_ratio", one_ns / ten_ns);
    constexpr std::size_t strangers = 100'000;
    const double start = cpu_ns();
    for (std::size_t i = 0; i < strangers; ++i) {
        wake((i + 1) * 7919 * 104'729 % fibers);
    }
    report_number("wake_cold_ns", (cpu_ns() - start) / strangers);
    wakes_asked_for += strangers;
}

#endif
