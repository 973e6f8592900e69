# SPDX-License-Identifier: BSL-1.0
"""Reads lib/hook/calls.def and the symbols of libraries, for the checks that compare the two."""

import collections
import pathlib
import re
import subprocess

LIST = pathlib.Path(__file__).resolve().parents[1] / "lib" / "hook" / "calls.def"
TAKEN = {"hooked", "offloaded", "wrapped", "optional"}
TREATMENTS = TAKEN | {"passed", "missed"}

ENTRY = re.compile(r'COIR_CALL\((\w+), (\w+), (\w+),\s*"(.*)"\)')

Call = collections.namedtuple("Call", "treatment family name note")
Symbol = collections.namedtuple("Symbol", "name version kind address")


def read_calls(path=LIST):
    """The entries of the list by their names. A line that is none and no comment is an error."""
    calls = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("//"):
            continue
        entry = ENTRY.fullmatch(line)
        if entry is None or entry[1] not in TREATMENTS:
            raise ValueError(f"{path}:{number}: not understood: {line}")
        if entry[3] in calls:
            raise ValueError(f"{path}:{number}: {entry[3]} is there twice")
        calls[entry[3]] = Call(*entry.groups())
    return calls


def defined_symbols(library):
    """What a library defines for others: a Symbol each, whose version may be empty."""
    output = subprocess.run(["nm", "-D", "--defined-only", library], text=True,
                            capture_output=True, check=True).stdout
    for line in output.splitlines():
        address, kind, name = line.split()
        name, _, version = name.partition("@")
        yield Symbol(name, version.lstrip("@"), kind, int(address, 16))
