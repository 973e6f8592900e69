// SPDX-License-Identifier: BSL-1.0
// How late wake-ups are: a histogram of nanoseconds, 64 buckets for each power of two, so that a
// percentile is right to 1.6 per cent, and recording one touches little memory.
#ifndef COIR_BENCHMARK_LATENESS_H
#define COIR_BENCHMARK_LATENESS_H

#include "measure.h"

enum { lateness_buckets = 64 * 58 };

struct lateness {
    long counts[lateness_buckets];
    long total;
};

static inline void record_lateness(struct lateness* all, long ns) {
    const unsigned long number = ns < 0 ? 0 : (unsigned long)ns;
    const int shift = number < 128 ? 0 : 57 - __builtin_clzl(number);
    ++all->counts[64 * shift + (int)(number >> shift)];
    ++all->total;
}

/// The least number of microseconds that so many per cent of all wake-ups were not later than.
static inline double lateness_us(const struct lateness* all, double percentile) {
    const double wanted = (double)all->total * percentile / 100;
    long seen = 0;
    int bucket = 0;
    while (bucket < lateness_buckets - 1 && (double)(seen += all->counts[bucket]) < wanted) {
        ++bucket;
    }
    const int shift = bucket < 128 ? 0 : bucket / 64 - 1;
    return (double)((unsigned long)(bucket - 64 * shift) << shift) / 1e3;
}

/// The naps of one sleeper: 1 to 100 ms, uniform, the same for each peer.
static inline long next_nap_ns(unsigned long* random) {
    *random = *random * 6364136223846793005UL + 1442695040888963407UL;
    return 1000000 + (long)((*random >> 33) % 99000000);
}

/// Reports what came of a number of sleepers between two instants. A sleeper is due again every
/// 50.5 ms on average.
static inline void report_sleepers(const struct lateness* all, long sleepers, long early,
                                   double cpu_spent_ns, double wall_spent_ns) {
    const double wakes = (double)all->total;
    require(all->total > 0, "nobody woke");
    report_value(cpu_spent_ns / wakes / 1e3, "us");
    report_number("late_p50_us", lateness_us(all, 50));
    report_number("late_p99_us", lateness_us(all, 99));
    report_number("kept_up", wakes / ((double)sleepers * wall_spent_ns / 50.5e6));
    if (early > 0) {
        printf(", \"note\": \"%.1f per cent woke early\"", 100 * (double)early / wakes);
    }
    report_checked("%ld wake-ups of %ld sleepers, %ld early", all->total, sleepers, early);
}

#endif
