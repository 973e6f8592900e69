# SPDX-License-Identifier: BSL-1.0
"""The row of HTTP: servers that give one fixed answer, loaded by wrk.

All servers are up, on the same core, and wrk loads one after the other from the other core. Before
each of its windows a request of our own is sent, and the answer looked at; wrk itself counts answers
that are no 200, and connections that fail.
"""

import contextlib
import http.client
import re
import shutil
import subprocess
import time

import servers
from figures import Outcome
from goals import RatioAtLeast
from rows import Metric, Row
from running import pinned_to
from servers import Server

SERVERS = {
    "raw_epoll": Server("raw", "http_epoll"),
    "coir": Server("coir", "http", ("--reactor", "epoll"), says_fallback=True),
    "coir_io_uring": Server("coir", "http", ("--reactor", "io_uring"), says_fallback=True),
    "coir_beast": Server("coir", "http_beast", ("--reactor", "epoll"), says_fallback=True),
    "go": Server("go", "http"),
    "nginx": Server("nginx", "http.py", ("{folder}",)),
}
CONNECTIONS = 50
BODY = b"Hello, world!\n"

ROWS = [
    Row("http", f"HTTP, a fixed answer, {CONNECTIONS} connections", (
        Metric("value", "rate", "requests/s",
               (RatioAtLeast("nginx", 0.98), RatioAtLeast("go", 1.33, "coir_beast")), base="raw_epoll",
               more_is_better=True),
        Metric("server_cpu_us", "server's CPU a request", "us", base="raw_epoll"),
        Metric("p99_us", "p99", "us", base="raw_epoll"),
    ), parameters={"connections": CONNECTIONS}, kind="http", seconds=1, repeat=5),
]

UNITS_US = {"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6}


def check_answer(port):
    """Raises servers.Failed unless the server answers as it must, twice on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        for _ in range(2):
            connection.request("GET", "/")
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or body != BODY or answer.will_close:
                raise servers.Failed(f"answers {answer.status} {body!r}")
    except (OSError, http.client.HTTPException) as error:
        raise servers.Failed(f"does not answer: {error}") from error
    finally:
        connection.close()


def wait_until_it_answers(port):
    end = time.monotonic() + servers.PATIENCE_SECONDS
    while True:
        try:
            return check_answer(port)
        except servers.Failed:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def parse(report):
    """@returns {what: number} of wrk's report. Raises servers.Failed if it tells of an error."""
    for error in ("Socket errors", "Non-2xx"):
        if error in report:
            raise servers.Failed(next(line for line in report.splitlines() if error in line).strip())
    counted = re.search(r"(\d+) requests in ", report)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", report)
    latency = [[float(percent), float(number) * UNITS_US[unit]] for percent, number, unit
               in re.findall(r"^ +(\d+)% +([\d.]+)(us|ms|s|m)$", report, re.MULTILINE)]
    if not counted or not rate or not latency:
        raise servers.Failed(f"wrk says: {report.strip()[-300:]}")
    return {"requests": int(counted[1]), "requests_per_second": float(rate[1]),
            "latency_us": latency, "p50_us": dict(latency)[50], "p99_us": dict(latency)[99]}


def window(server, seconds, core):
    """@returns what wrk has measured, with the rate as "value"."""
    check_answer(server.port)
    cpu_before = server.cpu_seconds()
    # wrk knows whole seconds only.
    result = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency",
         f"http://127.0.0.1:{server.port}/"],
        capture_output=True, text=True, check=False, preexec_fn=pinned_to({core}))
    cpu = server.cpu_seconds() - cpu_before
    line = parse(result.stdout + result.stderr)
    return {"value": line["requests_per_second"], "unit": "requests/s",
            "checked": f"{line['requests']} answers, all of them 200",
            "server_cpu_us": 1e6 * cpu / line["requests"], **line}


def run(row, options):
    """The Outcome of the row."""
    outcome = Outcome()
    server_core, load_core = options.cores
    with contextlib.ExitStack() as stack:
        running = {}
        for name, server in SERVERS.items():
            if not options.wants(name) and not options.wants(server.folder):
                continue
            try:
                if shutil.which("wrk") is None:
                    raise servers.Unavailable("wrk is not installed")
                running[name] = stack.enter_context(
                    servers.running(server, options.programs, server_core))
                wait_until_it_answers(running[name].port)
            except (servers.Unavailable, servers.Failed) as reason:
                servers.leave_out(name, reason, outcome, running)
        for _ in range(options.repetitions(row)):
            for name, server in list(running.items()):
                try:
                    line = window(server, options.seconds_of(row), load_core)
                    outcome.measured.setdefault(name, []).append(line)
                except servers.Failed as reason:
                    servers.leave_out(name, reason, outcome, running)
    return outcome
