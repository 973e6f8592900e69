# SPDX-License-Identifier: BSL-1.0
"""Many greenlets, each of which sleeps 1 to 100 ms, again and again. What is counted is the processor
time of one wake-up, and how late it was. libev goes by the time at which it last woke, so that
it may be early: that counts as not late."""

import pathlib
import sys
import time

import gevent

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from measure import Naps, argument, cpu_ns, report_sleepers

late_ns = []
counting = False
stop = False


def sleep_again_and_again(seed):
    naps = Naps(seed)
    while not stop:
        nap = naps.next_ns()
        due = time.monotonic_ns() + nap
        gevent.sleep(nap / 1e9)
        if counting:
            late_ns.append(time.monotonic_ns() - due)


sleepers = int(argument("--fibers", 10_000))
greenlets = [gevent.spawn(sleep_again_and_again, i) for i in range(sleepers)]
gevent.sleep(0.2)  # all sleep, out of step
counting = True
cpu, wall = cpu_ns(), time.monotonic_ns()
gevent.sleep(argument("--seconds", 1))
cpu, wall = cpu_ns() - cpu, time.monotonic_ns() - wall
counting, stop = False, True
gevent.joinall(greenlets)
report_sleepers(late_ns, sleepers, cpu, wall)
