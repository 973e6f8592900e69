// SPDX-License-Identifier: BSL-1.0
// Sleepers without fibers: a binary heap of the instants at which each is due, and ppoll(2) until
// the first of them. It shows what the kernel's timers and the clock alone make wake-ups late by; a
// cleverer queue may well spend less on one.
#include "lateness.h"

#include <poll.h>

struct sleeper {
    long due_ns;
    unsigned long random;
};

static struct lateness late;

static long now_ns(void) { return (long)wall_ns(); }

static void sift_down(struct sleeper* heap, long count, long place) {
    const struct sleeper moved = heap[place];
    for (long child; (child = 2 * place + 1) < count; place = child) {
        if (child + 1 < count && heap[child + 1].due_ns < heap[child].due_ns) {
            ++child;
        }
        if (heap[child].due_ns >= moved.due_ns) {
            break;
        }
        heap[place] = heap[child];
    }
    heap[place] = moved;
}

static void sleep_until_first(long due_ns) {
    const long rest = due_ns - now_ns();
    if (rest > 0) {
        const struct timespec wait = {rest / 1000000000, rest % 1000000000};
        ppoll(NULL, 0, &wait, NULL);
    }
}

// Wakes sleepers until `end_ns`, and lets each sleep again.
static void wake_until(struct sleeper* heap, long count, long end_ns, int counting) {
    for (long now = now_ns(); now < end_ns;) {
        if (heap[0].due_ns > now) {
            sleep_until_first(heap[0].due_ns);
        }
        now = now_ns();
        if (heap[0].due_ns > now) {
            continue;
        }
        if (counting) {
            record_lateness(&late, now - heap[0].due_ns);
        }
        heap[0].due_ns = now + next_nap_ns(&heap[0].random);
        sift_down(heap, count, 0);
    }
}

int main(int argc, char** argv) {
    const long sleepers = (long)argument(argc, argv, "--fibers", 10000);
    const double length = 1e9 * argument(argc, argv, "--seconds", 1);
    struct sleeper* heap = calloc((size_t)sleepers, sizeof *heap);
    require(heap != NULL, "there is no such memory");
    for (long i = 0; i < sleepers; ++i) {
        heap[i].random = (unsigned long)i;
        heap[i].due_ns = now_ns() + next_nap_ns(&heap[i].random);
    }
    for (long i = sleepers / 2 - 1; i >= 0; --i) {
        sift_down(heap, sleepers, i);
    }
    wake_until(heap, sleepers, now_ns() + 200000000, 0);
    const double cpu = cpu_ns();
    const double wall = wall_ns();
    wake_until(heap, sleepers, now_ns() + (long)length, 1);
    report_sleepers(&late, sleepers, 0, cpu_ns() - cpu, wall_ns() - wall);
    free(heap);
}
