# SPDX-License-Identifier: BSL-1.0
"""The rows of TCP echo: what a request costs a server, as a ratio to the limit.

A server and the limit (one that is written straight on epoll or poll) are both up, on the same core,
each with a load of its own on the other core; windows of one and the other alternate. The ratio is
that of a window to the mean of the limit's windows before and after it, so that a machine that
becomes slower or faster meanwhile does not show in it. Where the limit is compared with itself, the
spread is the error of the measurement.
"""

import dataclasses

import servers
from figures import Outcome
from goals import AtMost
from rows import Metric, Row
from servers import Server

# What a column is: several may be the same peer's.
SERVERS = {
    "raw_epoll": Server("raw", "echo_epoll"),
    "raw_epoll_edge": Server("raw", "echo_epoll_edge"),
    "raw_poll": Server("raw", "echo_poll"),
    "raw_io_uring": Server("raw", "echo_io_uring"),
    "raw_io_uring_single": Server("raw", "echo_io_uring_single"),
    "coir": Server("coir", "echo", ("--reactor", "epoll"), says_fallback=True),
    "coir_io_uring": Server("coir", "echo", ("--reactor", "io_uring"), says_fallback=True),
    "coir_poll": Server("coir", "echo", ("--reactor", "poll"), says_fallback=True),
    "asio_spawn": Server("asio_spawn", "echo"),
    "asio_awaitable": Server("asio_awaitable", "echo"),
    "state_threads": Server("state_threads", "echo"),
    "go": Server("go", "echo"),
    "libuv": Server("libuv", "echo"),
    "asyncio": Server("asyncio", "echo.py"),
    "uvloop": Server("uvloop", "echo.py", module="uvloop"),
    "gevent": Server("gevent", "echo.py", module="gevent"),
}

COMPILED = ("raw_epoll", "raw_io_uring", "coir", "coir_io_uring", "asio_spawn", "asio_awaitable",
            "state_threads", "go", "libuv")
EVERYBODY = (*COMPILED, "raw_epoll_edge", "raw_poll", "raw_io_uring_single", "asyncio", "uvloop",
             "gevent")


@dataclasses.dataclass(frozen=True)
class EchoRow(Row):
    """The parameters are the load's. `measure` names what of a window is compared."""

    kind: str = "echo"
    columns: tuple = COMPILED
    limit: str = "raw_epoll"
    measure: str = "server_cpu_us"
    seconds: float = 0.15  # of each window
    restart: bool = True  # the servers for each repetition; else once

    @property
    def descriptors(self):
        """How many the load and the server need each."""
        return self.parameters["connections"] + self.parameters["idle"] + 64


def echo_row(name, title, *goals, connections=50, idle=0, size=64, ratio_of="server's CPU a request",
             **further):
    limit = further.get("limit", "raw_epoll")
    metrics = (
        Metric("value", ratio_of, f"x {limit}", goals, base=limit),
        Metric("server_cpu_us", "server's CPU a request", "us", base=limit),
        Metric("p50_us", "p50", "us", base=limit),
        Metric("p99_us", "p99", "us", base=limit),
    )
    return EchoRow(name, "TCP echo, " + title, metrics,
                   parameters={"connections": connections, "idle": idle, "size": size}, **further)


def backends(epoll, io_uring):
    return AtMost(epoll), AtMost(io_uring, "coir_io_uring")


BY_CONNECTIONS = ("echo", "connections")
ROWS = [
    echo_row("echo", "64 B, 50 connections", *backends(1.02, 0.97), columns=EVERYBODY,
             curve=BY_CONNECTIONS),
    echo_row("echo_4k", "4 KiB, 50 connections", *backends(1.03, 0.96), size=4096),
    echo_row("echo_1000", "64 B, 1,000 connections", *backends(1.04, 0.94), connections=1000,
             curve=BY_CONNECTIONS),
    echo_row("echo_10000", "64 B, 10,000 connections", *backends(1.04, 0.94), connections=10_000,
             seconds=0.3, restart=False, curve=BY_CONNECTIONS),
    echo_row("echo_idle", "64 B, 50 busy among 10,000 idle connections", *backends(1.02, 1.02),
             idle=10_000, restart=False, columns=(*COMPILED, "raw_poll")),
    echo_row("echo_one", "64 B, one connection", *backends(1.02, 1.02), connections=1,
             columns=EVERYBODY, measure="p50_us", ratio_of="round trip, p50"),
    echo_row("echo_poll", "64 B, 50 connections, poll(2)", AtMost(1.05, "coir_poll"),
             columns=("raw_poll", "coir_poll"), limit="raw_poll"),
    echo_row("echo_poll_1000", "64 B, 1,000 connections, poll(2)", AtMost(1.05, "coir_poll"),
             connections=1000, columns=("raw_poll", "coir_poll"), limit="raw_poll"),
]


def alternate(row, server, windows, seconds, options):
    """Starts both servers, and takes windows: limit, server, limit, ..., server, limit.
    @returns what the load has printed of the server's, with the ratio as "value"."""
    server_core, load_core = options.cores
    measured = []
    with servers.running(SERVERS[row.limit], options.programs, server_core) as limit, \
            servers.running(server, options.programs, server_core) as other, \
            servers.loaded(options.programs, limit, row, seconds, load_core) as limit_load, \
            servers.loaded(options.programs, other, row, seconds, load_core) as other_load:
        limit_load.window()  # for warmth
        other_load.window()
        before = limit_load.window()
        for _ in range(windows):
            window = other_load.window()
            after = limit_load.window()
            window["value"] = window[row.measure] / ((before[row.measure] + after[row.measure]) / 2)
            measured.append(window)
            before = after
    return measured


def run(row, options):
    """The Outcome of one row."""
    outcome = Outcome()
    running = {name: SERVERS[name] for name in row.columns
               if options.wants(name) or options.wants(SERVERS[name].folder)}
    try:
        servers.raise_descriptor_limit(row.descriptors)
    except servers.Unavailable as reason:
        outcome.left_out = dict.fromkeys(running, str(reason))
        return outcome
    repetitions = options.repetitions(row)
    starts, windows = (repetitions, 1) if row.restart else (1, repetitions)
    for _ in range(starts):
        for name, server in list(running.items()):
            try:
                lines = alternate(row, server, windows, options.seconds_of(row), options)
                outcome.measured.setdefault(name, []).extend(lines)
            except (servers.Unavailable, servers.Failed) as reason:
                servers.leave_out(name, reason, outcome, running)
    return outcome
