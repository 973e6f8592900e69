# SPDX-License-Identifier: BSL-1.0
"""The figures as text, CSV and Markdown."""

import csv
import dataclasses
import io

from figures import order
from goals import describe, judge
from peers import is_coir, is_limit


@dataclasses.dataclass
class Line:
    """One metric of one row, as all tables show it."""

    row: object
    metric: object
    figures: dict  # peer -> Figure
    base: str  # the peer that ratios refer to, or '' where nothing was measured
    verdicts: list  # of (goal, the goal in words, Verdict)
    # What is said of the whole row: with its first line only.
    left_out: dict
    notes: dict
    remark: str

    def best_first(self):
        return order(self.figures, self.metric.more_is_better)

    def has_ratios(self):
        return self.base in self.figures and self.figures[self.base].median != 0

    def ratio(self, peer):
        return self.figures[peer].median / self.figures[self.base].median


def base_of(metric, figures):
    """The metric's own base where that was measured, else the best of all."""
    if metric.base in figures:
        return metric.base
    return order(figures, metric.more_is_better)[0] if figures else ""


def lines_of(results):
    """The Lines of [(row, outcome)], in the rows' order."""
    table = {row.name: outcome.figures(row.metrics[0].key) for row, outcome in results}
    lines = []
    for row, outcome in results:
        for number, metric in enumerate(row.metrics):
            figures = outcome.figures(metric.key)
            verdicts = [(goal, describe(goal, metric.unit), judge(goal, figures, table))
                        for goal in metric.goals]
            said = (outcome.left_out, outcome.notes(), outcome.remark) if number == 0 else ({}, {}, "")
            lines.append(Line(row, metric, figures, base_of(metric, figures), verdicts, *said))
    return lines


def number(value):
    """Three significant digits, and no exponent."""
    if value == 0 or value != value:
        return f"{value:g}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def text_table(lines, facts):
    out = [f"{what + ':':30}{value}" for what, value in facts] + [""]
    for line in lines:
        metric = line.metric
        out.append(f"{line.row.title}: {metric.title}" + (f", {metric.unit}" if metric.unit else ""))
        for peer in line.best_first():
            figure = line.figures[peer]
            spread = f"{number(figure.least)}..{number(figure.greatest)}"
            ratio = f"{line.ratio(peer):9.2f} x {line.base}" if line.has_ratios() else ""
            out.append(f"  {peer:26}{number(figure.median):>12}{spread:>24}{ratio}")
        for _, goal, verdict in line.verdicts:
            out.append(f"  goal {goal}: {verdict.text}")
        if line.remark:
            out.append(f"  {line.remark}")
        for peer, note in line.notes.items():
            out.append(f"  {peer}: {note}")
        for peer, reason in line.left_out.items():
            out.append(f"  left out: {peer}: {reason}")
        out.append("")
    return "\n".join(out + summary(lines)) + "\n"


def summary(lines):
    """How many goals are met, and which are not: lines of text, none where there are no goals."""
    verdicts = [(line, goal, verdict) for line in lines for _, goal, verdict in line.verdicts]
    met = sum(verdict.met is True for _, _, verdict in verdicts)
    out = [f"{met} of {len(verdicts)} goals are met"]
    for line, goal, verdict in verdicts:
        if verdict.met is not True:
            out.append(f"  {line.row.name}, {line.metric.title} {goal}: {verdict.text}")
    return out if verdicts else []


def csv_table(lines):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["row", "metric", "unit", "peer", "median", "min", "max", "runs", "ratio", "to",
                     "goals", "verdicts"])
    for line in lines:
        for peer in line.best_first():
            figure = line.figures[peer]
            mine = [(text, verdict) for goal, text, verdict in line.verdicts
                    if goal.subject == peer]
            ratio = (f"{line.ratio(peer):.4g}", line.base) if line.has_ratios() else ("", "")
            writer.writerow([line.row.name, line.metric.key, line.metric.unit, peer,
                             f"{figure.median:.6g}", f"{figure.least:.6g}",
                             f"{figure.greatest:.6g}", figure.runs, *ratio, "; ".join(goal for goal, _ in mine),
                             "; ".join(verdict.text for _, verdict in mine)])
    return out.getvalue()


def cell(line, peer, with_spread=False):
    if peer not in line.figures:
        return ""
    figure = line.figures[peer]
    text = number(figure.median)
    if with_spread and figure.runs > 1:
        text += f" ({number(figure.least)} to {number(figure.greatest)})"
    return text


def best_peers(line, count=3):
    """The best that are neither coir nor a limit."""
    others = [peer for peer in line.best_first() if not is_limit(peer) and not is_coir(peer)]
    return ", ".join(f"{peer} {cell(line, peer)}" for peer in others[:count])


def entries_by_text(entries):
    """Of (row, peer, text): a line for each peer and text, with all the rows."""
    rows_of = {}
    for row, peer, text in entries:
        rows_of.setdefault((peer, text), []).append(row)
    return [f"- {peer}: {text} ({', '.join(rows)})" for (peer, text), rows in rows_of.items()]


def markdown_table(lines, facts):
    out = [f"- {what}: {value}" for what, value in facts]
    out += ["", "| work | unit | limit | coir | the best peers | goal | |", "|---|---|---|---|---|---|---|"]
    for line in lines:
        limits = ", ".join(f"{peer} {cell(line, peer)}" for peer in line.figures if is_limit(peer))
        coir = ", ".join((f"{peer} " if peer != "coir" else "") + cell(line, peer, True)
                         for peer in line.figures if is_coir(peer))
        goals = "; ".join(goal for _, goal, _ in line.verdicts)
        verdicts = "; ".join(dict.fromkeys(verdict.text for _, _, verdict in line.verdicts))
        out.append(f"| {line.row.title}: {line.metric.title} | {line.metric.unit} | {limits} "
                   f"| {coir} | {best_peers(line)} | {goals} | {verdicts} |")
    peers = list(dict.fromkeys(peer for line in lines for peer in line.figures))
    out += ["", "| row | " + " | ".join(peers) + " |", "|---|" + "---:|" * len(peers)]
    for line in lines:
        name = f"{line.row.name}, {line.metric.title}"
        name += f" ({line.metric.unit})" if line.metric.unit else ""
        out.append(f"| {name} | " + " | ".join(cell(line, peer) for peer in peers) + " |")
    said = {"Notes": [(line.row.name, peer, note) for line in lines
                      for peer, note in line.notes.items()],
            "Left out": [(line.row.name, peer, reason) for line in lines
                         for peer, reason in line.left_out.items()]}
    for heading, entries in said.items():
        if entries:
            out += ["", f"{heading}:", ""] + entries_by_text(entries)
    return "\n".join(out) + "\n"
