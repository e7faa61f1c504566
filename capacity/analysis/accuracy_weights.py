"""Figure: test accuracy against the number of weights that remain, sparse beside dense."""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from capacity.analysis import style
from capacity.analysis.looks import looks
from capacity.analysis.statistics import TICKET, alive, over_seeds, split_controls

LEAST = 3  # sizes of dense networks that make a line


def figure(networks: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """A line per trial and control, of means over seeds in a band of one standard error.

    Where trials of one data set differ in size, a grey line joins their dense networks: sparse ones
    above it are better than dense ones of as many weights (Zhu & Gupta, 2017, arXiv:1710.01878).
    """
    split = split_controls(networks)
    known, diverged = alive(split)
    seen = looks(split, trials)
    fig, (ax,) = style.canvas()
    lines = _means(known, ["trial", "round"])
    style.logarithmic(ax, "x", lines["x"], least=0.5)
    for trial, line in lines.sort_values("x").groupby("trial", sort=False):
        look = seen.of[str(trial)]
        drawn = {"color": look.colour, "linewidth": look.weight, "linestyle": look.dashes}
        ax.plot(
            line["x"],
            line["mean"],
            marker=look.marker,
            markersize=0.7 * look.marks,
            label=trial,
            **drawn,
        )
        if seen.few:
            band = line["error"].fillna(0)
            lower, upper = line["mean"] - band, line["mean"] + band
            ax.fill_between(line["x"], lower, upper, color=look.colour, alpha=0.18, linewidth=0)
    more = _dense(ax, networks)
    ax.set(xlabel=style.axis_label("remaining"), ylabel=style.axis_label("test_accuracy"))
    seen.legend(fig, more)
    banded = (lines["count"] > 1).any() and seen.few
    spread = "band: one standard error over seeds" if banded else ""
    style.note(fig, spread, style.left_out(diverged, len(networks)))
    return fig


def _means(networks: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Accuracies over seeds, and `x`, the weights that remain."""
    accuracy = over_seeds(networks, "test_accuracy", by)
    weights = over_seeds(networks, "remaining", by)[[*by, "mean"]]
    return accuracy.merge(weights.rename(columns={"mean": "x"}), on=by)


def _dense(ax, networks: pd.DataFrame) -> list[Artist]:
    """The line through dense networks, if they are comparable, for the legend."""
    dense = networks[(networks["round"] == 0) & (networks["control"] == TICKET)]
    same = all(dense[name].nunique() == 1 for name in ("dataset", "train_size", "label_noise"))
    if not same or dense["parameters"].nunique() < LEAST:
        return []
    line = _means(alive(dense)[0], ["parameters"]).sort_values("x")
    drawn = {"color": style.GREY, "linewidth": 3.0, "alpha": 0.5}
    ax.plot(line["x"], line["mean"], label="dense", zorder=1, **drawn)
    return [Line2D([], [], label="dense", **drawn)]
