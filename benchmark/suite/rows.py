# SPDX-License-Identifier: BSL-1.0
"""The rows of the suite: what is measured, with which parameters, and what is asked of coir."""

import dataclasses

from goals import First, Ratio


@dataclasses.dataclass(frozen=True)
class Metric:
    """One number that a row's programs print, under `key`: what it is, its unit, its goals.
    `base` names the peer that ratios refer to; without, it is the best of all."""

    key: str
    title: str
    unit: str
    goals: tuple = ()
    base: str = ""


@dataclasses.dataclass(frozen=True)
class Row:
    """`kind` says who runs it: "program" rows are run by running.py, one program of each peer after
    the other; other kinds by the module of that name."""

    name: str
    title: str
    metrics: tuple
    program: str = ""  # its name in each peer's folder, unless that is the row's own
    parameters: dict = dataclasses.field(default_factory=dict)
    kind: str = "program"
    seconds: float = 0.3  # of each run
    repeat: int = 0  # at most so often; 0: as often as all
    cores: int = 1
    # Rows of one curve differ in one parameter, and are points of one plot: (curve, parameter).
    curve: tuple = ()

    @property
    def program_name(self):
        return self.program or self.name


def value(title, unit, *goals, base=""):
    """The metric of a row that has but one."""
    return (Metric("value", title, unit, goals, base),)


def yield_row(fibers, *goals):
    return Row(f"yield_{fibers}", f"yield, {fibers:,} fibers",
               value("a switch", "ns", *goals, base="boost_context"),
               program="yield", parameters={"fibers": fibers}, curve=("yield", "fibers"))


ROWS = [
    yield_row(2, Ratio("boost_context", 1.4), First()),
    yield_row(10, First()),
    yield_row(10_000, First()),
]
