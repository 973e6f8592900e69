# SPDX-License-Identifier: BSL-1.0
"""The figures as SVG: what grows with the number of fibers or connections, ratios, and latencies."""

import math
import textwrap

from peers import PEERS, is_coir, is_limit


def draw_all(output, results, lines):
    """Draws what there is data for; the names of the files. Nothing without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "coir", "svg.fonttype": "none", "font.size": 9})
    drawn = []
    for draw in (draw_curves, draw_ratios, draw_latencies):
        drawn += draw(output, results, lines)
    return drawn


# coir stands out and limits are grey, so no peer is red or grey. A peer has its colour in all plots.
COIR_COLOURS = ("crimson", "darkorange", "deeppink")
LIMIT_COLOURS = ("0.25", "0.5", "0.7", "0.4", "0.6")
PEER_COLOURS = ("tab:blue", "tab:green", "yellowgreen", "tab:purple", "tab:brown", "tab:cyan",
                "gold", "navy", "tab:olive", "black")
PEER_NAMES = [peer.name for peer in PEERS if not peer.limit and not is_coir(peer.name)]


def style_of(peer, names):
    """How a column is drawn, among those of these names."""
    def nth(colours, kind):
        return colours[[name for name in names if kind(name)].index(peer) % len(colours)]

    if is_coir(peer):
        return {"color": nth(COIR_COLOURS, is_coir), "linewidth": 2}
    if is_limit(peer):
        return {"color": nth(LIMIT_COLOURS, is_limit), "linewidth": 1, "linestyle": "--"}
    place = PEER_NAMES.index(peer) if peer in PEER_NAMES else -1
    return {"color": PEER_COLOURS[place % len(PEER_COLOURS)], "linewidth": 1}


def save(figure, output, name):
    import matplotlib.pyplot as plt
    figure.tight_layout()
    figure.savefig(output / name, metadata={"Date": None})
    plt.close(figure)
    return [name]


def curves_of(results):
    """{(curve, parameter): {peer: [(number, median)]}}, and the metric of each."""
    curves = {}
    metrics = {}
    for row, outcome in results:
        if not row.curve:
            continue
        metric = row.metrics[0]
        metrics[row.curve] = metric
        for peer, figure in outcome.figures(metric.key).items():
            points = curves.setdefault(row.curve, {}).setdefault(peer, [])
            points.append((row.parameters[row.curve[1]], figure.median))
    return curves, metrics


def draw_curves(output, results, _lines):
    import matplotlib.pyplot as plt
    curves, metrics = curves_of(results)
    drawn = []
    for (curve, parameter), peers in curves.items():
        if all(len(points) < 2 for points in peers.values()):
            continue
        figure, axes = plt.subplots(figsize=(8.5, 4.5))
        for peer, points in peers.items():
            axes.plot(*zip(*sorted(points)), marker="o", markersize=3, label=peer,
                      **style_of(peer, list(peers)))
        metric = metrics[curve, parameter]
        axes.set(xscale="log", yscale="log", xlabel=f"number of {parameter}",
                 ylabel=f"{metric.title}, {metric.unit}", title=f"{curve}, by number of {parameter}")
        axes.grid(True, which="both", linewidth=0.3)
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1))
        drawn += save(figure, output, f"{curve}_by_{parameter}.svg")
    return drawn


def draw_ratios(output, _results, lines):
    """One panel for each row, and for each further number that has a goal: each peer's bar, as a ratio
    to the line's base."""
    import matplotlib.pyplot as plt
    lines = [line for line in lines if len(line.figures) > 1 and line.has_ratios()
             and (line.metric is line.row.metrics[0] or line.metric.goals)]
    if not lines:
        return []
    columns = 3
    height = math.ceil(len(lines) / columns)
    figure, grid = plt.subplots(height, columns, figsize=(13, 2.3 * height), squeeze=False)
    for panel, line in zip(grid.flat, lines):
        peers = line.best_first()[::-1]  # the first bar is the lowest
        ratios = [line.ratio(peer) for peer in peers]
        bars = panel.barh(peers, ratios,
                          color=[style_of(peer, list(line.figures))["color"] for peer in peers])
        panel.bar_label(bars, [f"{ratio:.2f}" for ratio in ratios], fontsize=6, padding=2)
        title = f"{line.row.title}: {line.metric.title}, x {line.base}"
        panel.set_title(textwrap.fill(title, 56), fontsize=7)
        panel.axvline(1, color="black", linewidth=0.6)
        panel.tick_params(labelsize=6)
        panel.set_xscale("log" if max(ratios) > 8 * min(ratios) > 0 else "linear")
        panel.minorticks_off()
        panel.margins(x=0.15)
    for panel in list(grid.flat)[len(lines):]:
        panel.set_axis_off()
    return save(figure, output, "ratios.svg")


def latencies_of(outcome):
    """{peer: [(percentile, us)]}: each percentile's median over the repetitions."""
    from statistics import median
    result = {}
    for peer, lines in outcome.measured.items():
        collected = {}
        for line in lines:
            for percentile, us in line.get("latency_us", []):
                collected.setdefault(percentile, []).append(us)
        if collected:
            result[peer] = sorted((percentile, median(values))
                                  for percentile, values in collected.items())
    return result


def draw_latencies(output, results, _lines):
    """One plot a row: microseconds over percentiles, of which the upper ones get more room."""
    import matplotlib.pyplot as plt
    drawn = []
    for row, outcome in results:
        peers = latencies_of(outcome)
        if not peers:
            continue
        figure, axes = plt.subplots(figsize=(8.5, 4.5))
        for peer, points in peers.items():
            shown = [(1 / (1 - percentile / 100), us) for percentile, us in points
                     if percentile < 100]
            axes.plot(*zip(*shown), label=peer, **style_of(peer, list(peers)))
        ticks = [0, 50, 90, 99, 99.9, 99.99]
        axes.set(xscale="log", yscale="log", xlabel="percentile", ylabel="us",
                 title=f"{row.title}: latency")
        axes.set_xticks([1 / (1 - tick / 100) for tick in ticks], [f"{tick:g}" for tick in ticks])
        axes.grid(True, which="major", linewidth=0.3)
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1))
        drawn += save(figure, output, f"latency_{row.name}.svg")
    return drawn
