# SPDX-License-Identifier: BSL-1.0
"""What the figures were measured on: the machine, and the versions of all that took part."""

import datetime
import os
import pathlib
import platform
import subprocess

from peers import PEERS, version_of


def first_line(*command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return result.stdout.partition("\n")[0].strip()


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory_gib():
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return pages / 2**30


def describe(root):
    """A list of (what, its value)."""
    compiler = os.environ.get("CXX", "c++")
    facts = [
        ("date", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
        ("processor", f"{processor()}, {os.cpu_count()} cores"),
        ("memory", f"{memory_gib():.0f} GiB"),
        ("kernel", platform.release()),
        ("load before", "%.2f" % os.getloadavg()[0]),
        ("compiler", first_line(compiler, "--version")),
        ("built as", "preset benchmark: -O2 -DNDEBUG; Python and Go as they are"),
        ("coir", first_line("git", "-C", str(root), "describe", "--always", "--dirty")),
    ]
    for peer in PEERS:
        if peer.package:
            version = version_of(peer.package)
            facts.append((peer.title, f"{peer.package} {version}" if version
                          else f"not installed ({peer.package})"))
    return facts
