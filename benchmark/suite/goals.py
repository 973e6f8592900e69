# SPDX-License-Identifier: BSL-1.0
"""What a row must show of coir, and whether it does."""

import dataclasses

SUBJECT = "coir"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`met` is None where it cannot be said, as what is compared with was not measured."""

    met: object
    text: str


class Goal:
    """`describe(unit)` says it, `judge(figures, table)` holds the peers' figures against it; `table` has the
    figures of every row so far, by the row's name."""


@dataclasses.dataclass(frozen=True)
class AtMost(Goal):
    limit: float

    def describe(self, unit):
        return f"<= {self.limit:g} {unit}".rstrip()

    def judge(self, figures, _table, subject=SUBJECT):
        return compare(figures[subject].median / self.limit, 1, "the goal")


@dataclasses.dataclass(frozen=True)
class AtLeast(Goal):
    limit: float

    def describe(self, unit):
        return f">= {self.limit:g} {unit}".rstrip()

    def judge(self, figures, _table, subject=SUBJECT):
        median = figures[subject].median
        return Verdict(median >= self.limit, "met" if median >= self.limit
                       else f"missed: {median:.3g}")


@dataclasses.dataclass(frozen=True)
class Ratio(Goal):
    """At most so many times what a peer has."""

    peer: str
    factor: float

    def describe(self, _unit):
        return f"<= {self.factor:g} x {self.peer}"

    def judge(self, figures, _table, subject=SUBJECT):
        if self.peer not in figures:
            return Verdict(None, f"{self.peer} was not measured")
        return compare(figures[subject].median / figures[self.peer].median, self.factor, self.peer)


@dataclasses.dataclass(frozen=True)
class BelowRow(Goal):
    """Less than coir has in another row."""

    row: str

    def describe(self, _unit):
        return f"less than {self.row}"

    def judge(self, figures, table, subject=SUBJECT):
        other = table.get(self.row, {}).get(subject)
        if other is None:
            return Verdict(None, f"{self.row} was not measured")
        ratio = figures[subject].median / other.median
        return Verdict(ratio < 1, "met" if ratio < 1 else f"missed: {ratio:.2f} x {self.row}")


@dataclasses.dataclass(frozen=True)
class FirstOf(Goal):
    """Ahead of every peer; limits, which no library can pass, do not count as peers."""

    limits: tuple = ()

    def describe(self, _unit):
        return "first of all"

    def judge(self, figures, _table, subject=SUBJECT):
        others = {peer: figure.median for peer, figure in figures.items()
                  if peer not in self.limits and not peer.startswith(SUBJECT)}
        if not others:
            return Verdict(None, "no peer was measured")
        best = min(others, key=others.get)
        return compare(figures[subject].median / others[best], 1, best)


def compare(ratio, factor, name):
    if ratio <= factor:
        return Verdict(True, "met")
    return Verdict(False, f"missed: {ratio:.2f} x {name}")


def judge(goal, figures, table, subject=SUBJECT):
    """A Verdict, or None where there is no goal, or nothing of the subject."""
    if goal is None:
        return None
    if subject not in figures:
        return Verdict(None, f"{subject} was not measured")
    return goal.judge(figures, table, subject)
