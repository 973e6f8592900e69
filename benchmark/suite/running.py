# SPDX-License-Identifier: BSL-1.0
"""Runs the measuring programs: pinned, one peer after the other, and that several times."""

import dataclasses
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

from figures import Outcome
from peers import PEERS

# A program that has not ended by then hangs; the longest takes some 20 s on a slow machine.
PATIENCE_SECONDS = 180


class ProgramFailed(Exception):
    """A program that ended with an error, or printed no result."""


@dataclasses.dataclass
class Options:
    """What the command line has chosen, for whoever runs a row."""

    programs: pathlib.Path  # <programs>/<peer>/<row> is what CMake has built
    sources: pathlib.Path  # <sources>/<peer>/<row>.<suffix>
    repeat: int = 5
    seconds: object = None  # of each run; None: as the row has it
    quick: bool = False
    peers: object = None  # names; None: all of them
    # Programs run on the first core, what loads them from outside on the second.
    cores: tuple = ()

    def wants(self, peer):
        return self.peers is None or peer in self.peers

    def repetitions(self, row):
        return min(self.repeat, row.repeat) if row.repeat else self.repeat

    def seconds_of(self, row):
        if self.seconds is not None:
            return self.seconds
        return row.seconds / 3 if self.quick else row.seconds


def command_of(peer, program, options):
    """What starts a program: a list, or None where the peer has no such program. One that has not
    been built raises ProgramFailed."""
    sources = list((options.sources / peer.name).glob(f"{program}.*"))
    if not sources:
        return None
    if sources[0].suffix == ".py":
        if peer.module and not importlib.util.find_spec(peer.module):
            raise ProgramFailed(f"{peer.package} is not installed")
        return [sys.executable, str(sources[0])]
    built = options.programs / peer.name / program
    if not built.exists():
        raise ProgramFailed(f"not built: is {peer.package or 'what it needs'} installed?")
    return [str(built)]


def pinned_to(cores):
    """For subprocess: makes a child run on these cores."""
    return lambda: os.sched_setaffinity(0, cores)


def run_program(command, parameters, cores, patience=PATIENCE_SECONDS):
    """The object that a program has printed."""
    arguments = [text for name, number in parameters.items() for text in (f"--{name}", str(number))]
    try:
        result = subprocess.run(command + arguments, capture_output=True, text=True, check=False,
                                timeout=patience, preexec_fn=pinned_to(cores))
    except subprocess.TimeoutExpired as expired:
        raise ProgramFailed(f"had not ended after {expired.timeout:g} s") from expired
    if result.returncode != 0:
        complaint = result.stderr.strip().splitlines()
        raise ProgramFailed(f"ended with {result.returncode}: {complaint[-1] if complaint else ''}")
    try:
        line = json.loads(result.stdout)
        float(line["value"])
    except (ValueError, KeyError, TypeError) as error:
        raise ProgramFailed(f"printed no result: {result.stdout.strip()[:200]!r}") from error
    return line


def available_gib():
    """The memory that the machine can give."""
    for line in pathlib.Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / 2**20
    return float("inf")


def commands_of(row, options, outcome):
    """{peer: its command} of those who take part; the others are left out of `outcome` by name."""
    commands = {}
    for peer in PEERS:
        if not options.wants(peer.name) or peer.name in row.without:
            continue
        try:
            command = command_of(peer, row.program_name, options)
            if command is None:
                continue
            if available_gib() < row.memory_gib:
                raise ProgramFailed(f"the row needs {row.memory_gib:g} GiB of memory")
            commands[peer.name] = command
        except ProgramFailed as failure:
            outcome.left_out[peer.name] = str(failure)
    return commands


def run(row, options):
    """The Outcome of one row. A peer that fails is left out from then on, with what it said."""
    outcome = Outcome()
    commands = commands_of(row, options, outcome)
    cores = set(options.cores[:row.cores])
    parameters = {**row.parameters, "seconds": options.seconds_of(row)}
    if options.quick and row.quick:
        parameters.update(row.quick)
        outcome.remark = "only " + ", ".join(f"{number:,} {name}"
                                             for name, number in row.quick.items())
    for _ in range(options.repetitions(row)):
        for name, command in list(commands.items()):
            try:
                line = run_program(command, parameters, cores)
            except ProgramFailed as failure:
                outcome.left_out[name] = str(failure)
                outcome.failed.add(name)
                outcome.measured.pop(name, None)
                del commands[name]
                continue
            outcome.measured.setdefault(name, []).append(line)
    return outcome
