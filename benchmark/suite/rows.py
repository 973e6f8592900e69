# SPDX-License-Identifier: BSL-1.0
"""The rows of the suite: what is measured, with which parameters, and what is asked of coir."""

import dataclasses

from goals import AtLeast, AtMost, First, Ratio, RatioToRow


@dataclasses.dataclass(frozen=True)
class Metric:
    """One number that a row's programs print, under `key`: what it is, its unit, its goals.
    `base` names the peer that ratios refer to; without, it is the best of all. More is worse, unless
    `more_is_better`."""

    key: str
    title: str
    unit: str
    goals: tuple = ()
    base: str = ""
    more_is_better: bool = False


@dataclasses.dataclass(frozen=True)
class Row:
    """`kind` says who runs it: "program" rows are run by running.py, one program of each peer after
    the other; other kinds by the module of that name."""

    name: str
    title: str
    metrics: tuple
    program: str = ""  # its name in each peer's folder, unless that is the row's own
    parameters: dict = dataclasses.field(default_factory=dict)
    quick: dict = dataclasses.field(default_factory=dict)  # other parameters with --quick
    kind: str = "program"
    seconds: float = 0.2  # of each run
    repeat: int = 0  # at most so often; 0: as often as all
    cores: int = 1
    without: tuple = ()  # peers whose program of that name is not meant for this row
    memory_gib: float = 0  # what the hungriest peer needs; with less, the row is left out
    # Rows of one curve differ in one parameter, and are points of one plot: (curve, parameter).
    curve: tuple = ()

    @property
    def program_name(self):
        return self.program or self.name


# Left out where there is much to wait for, and nothing to learn.
PYTHON = ("asyncio", "uvloop", "gevent")


def value(title, unit, *goals, base=""):
    """The metric of a row that has but one."""
    return (Metric("value", title, unit, goals, base),)


def yield_row(fibers, *goals, **further):
    return Row(f"yield_{fibers}", f"yield, {fibers:,} fibers",
               value("a switch", "ns", *goals, base="boost_context"),
               program="yield", parameters={"fibers": fibers}, curve=("yield", "fibers"),
               **further)


def timers_row(fibers, *metrics, without=()):
    return Row(f"timers_{fibers}", f"{fibers:,} fibers, each sleeping 1 to 100 ms in a loop", metrics,
               program="timers", parameters={"fibers": fibers}, seconds=1, repeat=3,
               without=without, curve=("timers", "fibers"))


ROWS = [
    yield_row(2, Ratio("boost_context", 1.4), First()),
    yield_row(10, AtMost(9), First()),
    yield_row(100, repeat=3, without=PYTHON),
    yield_row(1000, repeat=3, without=PYTHON),
    yield_row(10_000, AtMost(18), First()),
    yield_row(100_000, repeat=3, without=PYTHON),
    Row("spawn_join", "spawn and join, warm", value("a fiber", "ns", AtMost(60), First())),
    Row("alive_cold", "100,000 alive at once, first time",
        value("a fiber", "ns", Ratio("raw", 1.3), base="raw"),
        program="alive", parameters={"warm": 0, "fibers": 100_000}),
    Row("alive_warm", "100,000 alive at once, warm pool",
        value("a fiber", "ns", AtMost(400), First()),
        program="alive", parameters={"warm": 1, "fibers": 100_000}, seconds=0.3,
        without=("raw",)),
    Row("parked", "1,000,000 parked",
        (Metric("value", "resident memory of one", "bytes", (AtMost(4300),), base="raw"),
         Metric("page_table_bytes", "page tables of one", "bytes", (Ratio("raw", 1.02),), base="raw"),
         Metric("spawn_us", "spawning one", "us", (AtMost(4),), base="raw"),
         Metric("wake_ratio", "waking one, as a ratio to the same among ten", "", (AtMost(1.05),)),
         Metric("wake_ns", "waking one, again and again", "ns"),
         Metric("wake_cold_ns", "waking one that has not run for long", "ns")),
        parameters={"fibers": 1_000_000}, quick={"fibers": 100_000}, repeat=2, memory_gib=12),
    Row("channel_unbuffered", "unbuffered channel, message there and back",
        value("a round trip", "ns", AtMost(45), First())),
    Row("channel_buffered", "buffered channel (128), a stream",
        value("a message", "ns", AtMost(7), First()), parameters={"capacity": 128}),
    Row("mutex_free", "mutex, free", value("lock and unlock", "ns", AtMost(5), First(), base="raw")),
    Row("mutex_handed_over", "mutex, handed over", value("a turn", "ns", AtMost(45), First())),
    Row("condition_variable", "condition variable, handed over",
        value("a turn", "ns", AtMost(35), First())),
    timers_row(10_000,
               Metric("value", "processor time of a wake-up", "us", (AtMost(0.6), First())),
               Metric("late_p99_us", "lateness, 99th percentile", "us", (AtMost(160), First()), "raw"),
               Metric("late_p50_us", "lateness, median", "us")),
    timers_row(100_000,
               Metric("value", "processor time of a wake-up", "us", (AtMost(0.45), First())),
               Metric("kept_up", "wake-ups, as a share of those due", "", (AtLeast(0.98),),
                      more_is_better=True),
               Metric("late_p99_us", "lateness, 99th percentile", "us"), without=PYTHON),
    Row("deadline", "deadline that does not fire, with a million armed",
        value("armed and cancelled", "ns", AtMost(60), First()),
        parameters={"armed": 1_000_000}, quick={"armed": 100_000}, repeat=2, memory_gib=6),
    Row("ping_pong_asleep", "ping-pong between two threads, both asleep each time",
        value("a round trip", "us", Ratio("raw", 1), base="raw"), cores=2),
    Row("ping_pong_awake", "ping-pong between two threads that are awake",
        value("a round trip", "us", AtMost(0.4), First(), base="raw"), cores=2),
    Row("skynet", "tree of 1,000,000 fibers, one core",
        value("the tree", "ms", AtMost(150), First()),
        parameters={"leaves": 1_000_000}, repeat=3, memory_gib=8),
    Row("skynet_2", "tree of 1,000,000 fibers, two cores",
        value("the tree", "ms", RatioToRow("skynet", 1)),
        program="skynet", parameters={"leaves": 1_000_000, "threads": 2}, cores=2,
        repeat=3, memory_gib=2,
        without=("boost_fiber", "asio_spawn", "asio_awaitable", "state_threads")),
]
