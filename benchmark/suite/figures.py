# SPDX-License-Identifier: BSL-1.0
"""What is made of the runs of one program: a median and its spread, for each number it prints."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number of one peer, measured several times."""

    median: float
    least: float
    greatest: float
    runs: int

    @classmethod
    def of(cls, values):
        return cls(statistics.median(values), min(values), max(values), len(values))


@dataclasses.dataclass
class Outcome:
    """All that was measured for one row: the lines of JSON of each peer, one for each repetition,
    and the peers that were left out, each with the reason; `failed` are those among them that were
    there and did not do their work."""

    measured: dict = dataclasses.field(default_factory=dict)
    left_out: dict = dataclasses.field(default_factory=dict)
    failed: set = dataclasses.field(default_factory=set)
    remark: str = ""  # what the tables are to say of the row as it was run

    def figures(self, key):
        """The Figure of each peer that has printed `key`."""
        result = {}
        for peer, lines in self.measured.items():
            values = [line[key] for line in lines if line.get(key) is not None]
            if values:
                result[peer] = Figure.of(values)
        return result

    def notes(self):
        """What peers have to say of their figures: the text of their key "note"."""
        return {peer: lines[-1]["note"] for peer, lines in self.measured.items()
                if lines and "note" in lines[-1]}


def order(figures, more_is_better=False):
    """The peers' names, the best median first."""
    return sorted(figures, key=lambda peer: figures[peer].median, reverse=more_is_better)
