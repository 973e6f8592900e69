# SPDX-License-Identifier: BSL-1.0
"""What a request costs a server of echo.py in instructions, by Valgrind's callgrind, and in system
calls, by strace. Both look at one window of a server that is warm, of which the load knows how many
requests it had. Instructions are those outside the kernel, where a server spends the smaller part."""

import dataclasses
import pathlib
import re
import signal
import subprocess
import tempfile

import servers
from echo import SERVERS
from figures import Outcome

NAMES = ("echo", "echo_one", "echo_poll")
OTHER_LANGUAGES = ("go", "asyncio", "uvloop", "gevent")
WINDOW_SECONDS = 0.3


def count_system_calls(row, server, options):
    """Of a thousand requests."""
    server_core, load_core = options.cores
    with tempfile.TemporaryDirectory() as folder, \
            servers.running(server, options.programs, server_core) as running, \
            servers.loaded(options.programs, running, row, WINDOW_SECONDS, load_core) as load:
        load.window()
        table = pathlib.Path(folder) / "table"
        strace = subprocess.Popen(["strace", "-f", "-c", "-U", "calls,name", "-o", str(table),
                                   "-p", str(running.pid)], stderr=subprocess.PIPE, text=True)
        try:
            said = strace.stderr.readline()  # that it has attached
            requests = load.window()["requests"]
        finally:
            strace.send_signal(signal.SIGINT)
            strace.communicate()
        total = re.search(r"^\s*(\d+)\s+total$", table.read_text(encoding="utf-8"), re.M)
        if not total:
            raise servers.Failed(f"strace says: {said.strip()}")
        return 1000 * int(total[1]) / requests


def count_instructions(row, server, options):
    """Of one request."""
    server_core, load_core = options.cores
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        valgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                    "--instr-atstart=no", f"--log-file={log}")
        with servers.running(dataclasses.replace(server, under=valgrind), options.programs,
                             server_core) as running, \
                servers.loaded(options.programs, running, row, WINDOW_SECONDS, load_core) as load:
            load.window()
            switch(running.pid, "on")
            requests = load.window()["requests"]
            switch(running.pid, "off")
        collected = re.search(r"Collected : (\d+)", log.read_text(encoding="utf-8"))
    if not collected:
        raise servers.Failed("callgrind has counted no instructions")
    return int(collected[1]) / requests


def switch(pid, on_or_off):
    subprocess.run(["callgrind_control", "-i", on_or_off, str(pid)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(row, options):
    """The Outcome of one row, with the metrics of counting.py."""
    outcome = Outcome()
    for name in row.columns:
        server = SERVERS[name]
        if name in OTHER_LANGUAGES or not (options.wants(name) or options.wants(server.folder)):
            continue
        try:
            line = {"system_calls": count_system_calls(row, server, options)}
            outcome.measured[name] = [line]
            line["instructions"] = count_instructions(row, server, options)
        except (servers.Unavailable, servers.Failed) as reason:
            outcome.left_out[name] = str(reason)
            if not outcome.measured.get(name):
                outcome.failed.update([name] if isinstance(reason, servers.Failed) else [])
    return outcome
