# SPDX-License-Identifier: BSL-1.0
"""What measure.h is to the programs in C and C++. They find it by
`sys.path.append(str(pathlib.Path(__file__).parents[1]))`."""

import json
import sys
import time


def argument(name, otherwise):
    """The number that follows `name` ("--fibers") on the command line, or `otherwise`."""
    if name in sys.argv[:-1]:
        return float(sys.argv[sys.argv.index(name) + 1])
    return otherwise


def require(holds, message):
    """Ends the program with a message unless the result is what it must be."""
    if not holds:
        sys.exit(f"wrong result: {message}")


def cpu_ns():
    """The processor time of this process."""
    return time.process_time_ns()


def report(value, unit, checked, **further):
    """Prints the one line that the suite reads."""
    print(json.dumps({"value": value, "unit": unit, "checked": checked, **further}))


class Window:
    """A stretch of processor time that work is counted in."""

    def __init__(self):
        self.length = 1e9 * argument("--seconds", 1)
        self.start = cpu_ns()
        self.spent = 0

    def is_open(self):
        self.spent = cpu_ns() - self.start
        return self.spent < self.length


class Naps:
    """The naps of one sleeper, in nanoseconds: 1 to 100 ms, uniform, the same for each peer."""

    def __init__(self, seed):
        self.state = seed

    def next_ns(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return 1_000_000 + (self.state >> 33) % 99_000_000


def report_sleepers(late_ns, sleepers, cpu_spent_ns, wall_spent_ns):
    """Reports what came of a number of sleepers between two instants."""
    late_ns.sort()
    wakes = len(late_ns)
    require(wakes > 0, "nobody woke")
    early = sum(late < 0 for late in late_ns)
    notes = {"note": f"{100 * early / wakes:.1f} per cent woke early"} if early else {}
    report(cpu_spent_ns / wakes / 1e3, "us", f"{wakes} wake-ups of {sleepers} sleepers, {early} early",
           late_p50_us=late_ns[wakes // 2] / 1e3, late_p99_us=late_ns[wakes * 99 // 100] / 1e3,
           kept_up=wakes / (sleepers * wall_spent_ns / 50.5e6), **notes)
