#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs the rows of the suite, and writes tables and plots. scripts/bench builds, and then calls it."""

import argparse
import fnmatch
import os
import pathlib
import sys
import time

import counting
import echo
import machine
import plots
import rows
import running
import tables
import wrk

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Who runs rows of which kind: `run(row, options)` of that module gives a figures.Outcome.
MODULES = {"program": running, "echo": echo, "http": wrk}
ALL_ROWS = (*rows.ROWS, *echo.ROWS, *wrk.ROWS)


def chosen_rows(wanted):
    """Those whose name is wanted, or a part of it up to an underscore; `*` is a wildcard."""
    if not wanted:
        return list(ALL_ROWS)
    chosen = []
    for pattern in wanted.split(","):
        matching = [row for row in ALL_ROWS if fnmatch.fnmatch(row.name, pattern)
                    or fnmatch.fnmatch(row.name, pattern + "_*")]
        if not matching:
            sys.exit(f"bench: there is no row '{pattern}'; --list names all")
        chosen += [row for row in matching if row not in chosen]
    return chosen


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rows", default="", metavar="A,B",
                        help="only these rows: names, or their beginnings up to an underscore")
    parser.add_argument("--peers", default="", metavar="A,B", help="only these peers")
    parser.add_argument("--repeat", type=int, metavar="N", help="how often (default: 5)")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="how long each run lasts (default: as each row has it)")
    parser.add_argument("--quick", action="store_true", help="once, and a third as long")
    parser.add_argument("--count", action="store_true",
                        help="counts instructions and system calls, and times nothing")
    parser.add_argument("--list", action="store_true", help="prints the rows")
    parser.add_argument("--programs", type=pathlib.Path,
                        default=ROOT / "build/benchmark/benchmark/peers",
                        help="the folder that the peers' programs were built in")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/bench",
                        help="the folder for tables and plots (default: build/bench)")
    return parser.parse_args()


def options_from(arguments):
    available = sorted(os.sched_getaffinity(0), reverse=True)  # interrupts prefer the first core
    if len(available) == 1:
        print("bench: one core only: generators of load disturb what they measure",
              file=sys.stderr)
        available *= 2
    return running.Options(
        programs=arguments.programs, sources=ROOT / "benchmark/peers",
        repeat=arguments.repeat or (1 if arguments.quick else 5), seconds=arguments.seconds,
        quick=arguments.quick, peers=set(arguments.peers.split(",")) if arguments.peers else None,
        cores=tuple(available[:2]))


def run_rows(chosen, options, runner=None):
    results = []
    for row in chosen:
        started = time.monotonic()
        outcome = (runner or MODULES[row.kind]).run(row, options)
        results.append((row, outcome))
        figures = outcome.figures(row.metrics[0].key)
        seen = ", ".join(f"{peer} {tables.number(figure.median)}"
                         for peer, figure in figures.items())
        print(f"{row.name} ({time.monotonic() - started:.0f} s): {seen}", file=sys.stderr)
        for peer in sorted(outcome.failed):
            print(f"  {peer} failed: {outcome.left_out[peer]}", file=sys.stderr)
    return results


def write_tables(output, name, lines, facts):
    """@returns the names of the files."""
    output.mkdir(parents=True, exist_ok=True)
    texts = {"txt": tables.text_table(lines, facts), "csv": tables.csv_table(lines),
             "md": tables.markdown_table(lines, facts)}
    for suffix, text in texts.items():
        (output / f"{name}.{suffix}").write_text(text, encoding="utf-8")
    print(texts["txt"])
    return [f"{name}.{suffix}" for suffix in texts]


def main():
    arguments = parse_arguments()
    chosen = chosen_rows(arguments.rows)
    if arguments.list:
        for row in chosen:
            print(f"{row.name:24} {row.title}")
        return 0
    facts = machine.describe(ROOT)
    options = options_from(arguments)
    if arguments.count:
        results = run_rows(counting.countable(chosen), options, counting)
        written = write_tables(arguments.output, "counts", tables.lines_of(results), facts)
    else:
        results = run_rows(chosen, options)
        lines = tables.lines_of(results)
        written = write_tables(arguments.output, "table", lines, facts)
        written += plots.draw_all(arguments.output, results, lines)
    print(f"written to {arguments.output}: {', '.join(written)}")
    return 1 if any("coir" in outcome.failed for _, outcome in results) else 0


if __name__ == "__main__":
    sys.exit(main())
