# SPDX-License-Identifier: BSL-1.0
"""What can be counted instead of timed, and is the same on a busy machine: the instructions of one
unit of a row's work, by Valgrind's callgrind, and its system calls, by strace.

Instructions are those of the program's window (measure.h), so only programs in C and C++ have them.
System calls are the difference of two runs, a short one and a longer one, so that what a program does
before and after does not count; nor do the program's readings of its own processor time.
"""

import dataclasses
import pathlib
import re
import shutil
import sys
import tempfile

import counting_servers
from figures import Outcome
from rows import Metric
from running import ProgramFailed, commands_of, run_program

# The rows in which a run of half a second says it all.
NAMES = ("yield_2", "spawn_join", "channel_unbuffered", "channel_buffered", "mutex_free",
         "mutex_handed_over", "condition_variable", "deadline", "ping_pong_awake")
METRICS = (Metric("system_calls", "system calls of a thousand", ""),
           Metric("instructions", "instructions", ""))
OTHER_LANGUAGES = ("go", "asyncio", "uvloop", "gevent")
PATIENCE_SECONDS = 600


def countable(rows):
    """Those that can be counted, with the METRICS in place of their own."""
    for program in ("valgrind", "strace"):
        if not shutil.which(program):
            sys.exit(f"bench: {program} is not installed, which counts")
    return [dataclasses.replace(row, metrics=METRICS[:1 if row.cores > 1 else 2], curve=())
            for row in rows if row.name in NAMES + counting_servers.NAMES]


def count_instructions(command, parameters, cores):
    """Of one unit, in a window of one batch. None where there are no windows."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                    "--collect-atstart=no", f"--log-file={log}"]
        line = run_program(valgrind + command, {**parameters, "seconds": 0}, cores,
                           PATIENCE_SECONDS)
        collected = re.search(r"Collected : (\d+)", log.read_text(encoding="utf-8"))
    return int(collected[1]) / line["count"] if collected and int(collected[1]) else None


def count_system_calls(command, parameters, cores):
    """Of a thousand units."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "table"
        strace = ["strace", "-f", "-c", "-U", "calls,name", "-e", "trace=!clock_gettime",
                  "-o", str(table)]
        for seconds in (0.1, 0.4):
            line = run_program(strace + command, {**parameters, "seconds": seconds}, cores,
                               PATIENCE_SECONDS)
            total = re.search(r"^\s*(\d+)\s+total$", table.read_text(encoding="utf-8"), re.M)
            found.append((int(total[1]) if total else 0, line["count"]))
    (few_calls, few), (many_calls, many) = found
    return max(0, 1000 * (many_calls - few_calls) / (many - few))


def run(row, options):
    """The Outcome of one row, with the METRICS."""
    if row.name in counting_servers.NAMES:
        return counting_servers.run(row, options)
    outcome = Outcome()
    commands = commands_of(row, options, outcome)
    parameters = {**row.parameters, **row.quick}
    cores = set(options.cores[:row.cores])
    for name, command in commands.items():
        if name in OTHER_LANGUAGES:
            continue
        try:
            line = {"system_calls": count_system_calls(command, parameters, cores)}
            if row.cores == 1:
                line["instructions"] = count_instructions(command, parameters, cores)
            outcome.measured[name] = [line]
        except ProgramFailed as failure:
            outcome.left_out[name] = str(failure)
            outcome.failed.add(name)
    return outcome
