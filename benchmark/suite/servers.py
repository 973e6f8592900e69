# SPDX-License-Identifier: BSL-1.0
"""The servers that the rows of echo.py and wrk.py measure, and how they and their load are run."""

import contextlib
import dataclasses
import importlib.util
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

from running import pinned_to

PEERS = pathlib.Path(__file__).resolve().parent.parent / "peers"
PATIENCE_SECONDS = 60


class Unavailable(Exception):
    """A server that cannot be measured here. The message says why."""


class Failed(Exception):
    """A server or the load has failed, or an answer was wrong."""


@dataclasses.dataclass(frozen=True)
class Server:
    """How a server is started. A program of a compiled language is below the build's folder."""

    folder: str
    program: str
    arguments: tuple = ()
    module: str = ""  # of Python's, which the program needs
    says_fallback: bool = False  # what it prints but its port tells that it runs otherwise
    under: tuple = ()  # the command of what runs it: Valgrind

    def command(self, programs):
        """@returns what starts it. Raises Unavailable."""
        if self.program.endswith(".py"):
            if self.module and importlib.util.find_spec(self.module) is None:
                raise Unavailable(f"Python has no module {self.module}")
            start = [sys.executable, str(PEERS / self.folder / self.program)]
        else:
            start = [str(pathlib.Path(programs) / self.folder / self.program)]
            if not pathlib.Path(start[0]).exists():
                raise Unavailable(f"{self.folder}/{self.program} is not built")
        return [*self.under, *start, *self.arguments]


def raise_descriptor_limit(needed):
    """Of this process and its children. Raises Unavailable with the limit's name."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), max(hard, needed)))
    except (ValueError, OSError):
        raise Unavailable(f"needs {needed:,} descriptors a process; RLIMIT_NOFILE (ulimit -Hn) is "
                          f"{hard:,}") from None


class RunningServer:
    """A server that listens, on the core that was named, until stop()."""

    def __init__(self, server, programs, core):
        self._server = server
        command = server.command(programs)
        self._folder = tempfile.TemporaryDirectory()
        self._output = pathlib.Path(self._folder.name) / "output"
        command = [part.format(folder=self._folder.name) for part in command]
        with open(self._output, "wb") as output:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                             stderr=output, preexec_fn=pinned_to({core}))
        self.pid = self._process.pid
        try:
            self.port = self._wait_for_port()
        except BaseException:
            self.stop()
            raise

    def _wait_for_port(self):
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            ended = self._process.poll() is not None
            if match := re.search(r"^listening (\d+)$", self.output(), re.MULTILINE):
                self._refuse_fallback()
                return int(match[1])
            if ended:
                lines = self.output().strip().splitlines()
                raise Unavailable(lines[-1] if lines else "it ended at once")
            if time.monotonic() > end:
                raise Failed(f"{self._server.program} does not listen")
            time.sleep(0.005)

    def _refuse_fallback(self):
        other = [line for line in self.output().splitlines() if not line.startswith("listening ")]
        if self._server.says_fallback and other:
            raise Unavailable(other[0])

    def output(self):
        return self._output.read_text(errors="replace")

    def cpu_seconds(self):
        """The processor time of the server and its children, which nginx's workers are."""
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(time.clock_gettime(cpu_clock(int(pid))) for pid in [self.pid, *children])

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def cpu_clock(pid):
    """What clock_getcpuclockid(3) returns on Linux; Python has it for threads alone."""
    return (~pid << 3) | 2


class RunningLoad:
    """The load generator, with its connections open; each window is asked for."""

    def __init__(self, programs, server, row, seconds, core):
        command = [str(pathlib.Path(programs).parent / "load" / "load"),
                   "--port", str(server.port), "--pid", str(server.pid),
                   "--seconds", str(seconds), "--on-request"]
        for name, number in row.parameters.items():
            command += [f"--{name}", str(number)]
        self._errors = tempfile.TemporaryFile()
        self._server = server
        self._process = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._errors,
                                         preexec_fn=pinned_to({core}))
        try:
            self._read_line()  # "ready"
        except BaseException:
            self.stop()
            raise

    def window(self):
        """@returns what the load prints of a window, as a dict."""
        try:
            self._process.stdin.write(b"\n")
        except BrokenPipeError:
            pass  # the next line says why
        return json.loads(self._read_line())

    def _read_line(self):
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            reason = self._errors.read().decode(errors="replace").strip()
            raise Failed(f"{reason}; the server said: {self._server.output().strip()[-2000:]}")
        return line

    def stop(self):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()


@contextlib.contextmanager
def running(server, programs, core):
    started = RunningServer(server, programs, core)
    try:
        yield started
    finally:
        started.stop()


@contextlib.contextmanager
def loaded(programs, server, row, seconds, core):
    load = RunningLoad(programs, server, row, seconds, core)
    try:
        yield load
    finally:
        load.stop()


def leave_out(name, reason, outcome, running):
    """What an Outcome says of a server that has raised Unavailable or Failed."""
    outcome.left_out[name] = str(reason)
    outcome.measured.pop(name, None)
    running.pop(name, None)
    if isinstance(reason, Failed):
        outcome.failed.add(name)
