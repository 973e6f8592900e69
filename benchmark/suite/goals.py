# SPDX-License-Identifier: BSL-1.0
"""What a row must show of coir, and whether it does.

Each goal has `subject`, the column that it is about: coir, unless that has several columns in a row,
as with the reactor's backends. `describe(unit)` says the goal, and `judge(figures, table)` holds the
peers' figures against it; `table` has those of every row, by the row's name.
"""

import dataclasses

from peers import is_coir, is_limit


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`met` is None where it cannot be said, as what is compared with was not measured."""

    met: object
    text: str


@dataclasses.dataclass(frozen=True)
class AtMost:
    limit: float
    subject: str = "coir"

    def describe(self, unit):
        return f"<= {self.limit:g} {unit}".rstrip()

    def judge(self, figures, _table):
        return compare(figures[self.subject].median / self.limit, 1, "the goal")


@dataclasses.dataclass(frozen=True)
class AtLeast:
    limit: float
    subject: str = "coir"

    def describe(self, unit):
        return f">= {self.limit:g} {unit}".rstrip()

    def judge(self, figures, _table):
        median = figures[self.subject].median
        return Verdict(median >= self.limit,
                       "met" if median >= self.limit else f"missed: {median:.3g}")


@dataclasses.dataclass(frozen=True)
class Ratio:
    """At most so many times what a peer has."""

    peer: str
    factor: float
    subject: str = "coir"

    def describe(self, _unit):
        return f"<= {self.factor:g} x {self.peer}"

    def judge(self, figures, _table):
        if self.peer not in figures:
            return Verdict(None, f"{self.peer} was not measured")
        ratio = figures[self.subject].median / figures[self.peer].median
        return compare(ratio, self.factor, self.peer)


@dataclasses.dataclass(frozen=True)
class RatioAtLeast:
    """At least so many times what a peer has: where more is better."""

    peer: str
    factor: float
    subject: str = "coir"

    def describe(self, _unit):
        return f">= {self.factor:g} x {self.peer}"

    def judge(self, figures, _table):
        if self.peer not in figures:
            return Verdict(None, f"{self.peer} was not measured")
        ratio = figures[self.subject].median / figures[self.peer].median
        if ratio >= self.factor:
            return Verdict(True, "met")
        return Verdict(False, f"missed: {ratio:.3g} x {self.peer}")


@dataclasses.dataclass(frozen=True)
class RatioToRow:
    """At most so many times what the subject has in another row."""

    row: str
    factor: float
    subject: str = "coir"

    def describe(self, _unit):
        return f"<= {self.factor:g} x {self.row}"

    def judge(self, figures, table):
        other = table.get(self.row, {}).get(self.subject)
        if other is None:
            return Verdict(None, f"{self.row} was not measured")
        return compare(figures[self.subject].median / other.median, self.factor, self.row)


@dataclasses.dataclass(frozen=True)
class First:
    """Ahead of every peer, where less is better. A limit is no peer."""

    subject: str = "coir"

    def describe(self, _unit):
        return "first of all"

    def judge(self, figures, _table):
        others = {peer: figure.median for peer, figure in figures.items()
                  if not is_limit(peer) and not is_coir(peer)}
        if not others:
            return Verdict(None, "no peer was measured")
        best = min(others, key=others.get)
        return compare(figures[self.subject].median / others[best], 1, best)


def compare(ratio, factor, name):
    if ratio <= factor:
        return Verdict(True, "met")
    return Verdict(False, f"missed: {ratio:.3g} x {name}")


def judge(goal, figures, table):
    """The Verdict on one goal."""
    if goal.subject not in figures:
        return Verdict(None, f"{goal.subject} was not measured")
    return goal.judge(figures, table)


def describe(goal, unit):
    """The goal in words; whom it is about only where that is not plain coir."""
    text = goal.describe(unit)
    return text if goal.subject == "coir" else f"{goal.subject} {text}"
