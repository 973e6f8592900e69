# SPDX-License-Identifier: BSL-1.0
"""Runs coir-hook-audit for its tests: SCRIPT SUBJECTS COMMAND..., where SUBJECTS is the folder of
what test/tools/subjects builds and COMMAND runs the tool."""

import collections
import json
import os
import pathlib
import subprocess
import sys

SUBJECTS = pathlib.Path(sys.argv[1])
COMMAND = sys.argv[2:]

Result = collections.namedtuple("Result", "status out errors")


def run(*arguments, library_path=""):
    """What the tool says; raises where it crashed or hung, or a sanitizer or Valgrind found
    something."""
    environment = {**os.environ, "LD_LIBRARY_PATH": library_path}
    result = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, check=False,
                            env=environment, timeout=100)
    errors = result.stderr.decode(errors="replace")
    if result.returncode not in (0, 1, 2) or "Sanitizer" in errors:
        raise AssertionError(f"{arguments}: ended with {result.returncode}:\n{errors}")
    # JSON is UTF-8; text has the names of files as they are.
    out = result.stdout.decode(errors="strict" if "--json" in arguments else "replace")
    return Result(result.returncode, out, errors)


def audit(name, *options, library_path=""):
    """The JSON about one file."""
    result = run("--json", *options, SUBJECTS / name, library_path=library_path)
    report = json.loads(result.out)
    assert report["format"] == 1 and report["status"] == result.status, result
    assert len(report["audits"]) == 1, result
    return report["audits"][0]


def treatments(audited, number=0):
    """The calls of one file, by their names, and what becomes of them."""
    return {call["name"]: call["treatment"] for call in audited["files"][number]["calls"]}


def escapes(audited, number=0):
    return {escape["kind"]: escape["names"] for escape in audited["files"][number]["escapes"]}


def names_of_files(audited):
    return [pathlib.Path(file["path"]).name for file in audited["files"]]
