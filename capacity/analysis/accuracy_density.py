"""Figure: test accuracy against the share of weights that remain, the densest at the left."""

import pandas as pd
from matplotlib.figure import Figure

from capacity.analysis import style
from capacity.analysis.looks import looks
from capacity.analysis.statistics import (
    SMALL_DENSE,
    alive,
    over_seeds,
    set_apart,
    split_controls,
)


def figure(networks: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """A line per trial: the mean over seeds, in a band of one standard error on either side.

    Controls that are dense are in the figure over weights (`accuracy_weights`).
    Where there is one density only, trials stand side by side instead, with bars for bands.
    """
    networks = split_controls(networks[networks["control"] != SMALL_DENSE])
    known, diverged = alive(networks)
    seen = looks(networks, trials)
    fig, (ax,) = style.canvas()
    accuracy = over_seeds(known, "test_accuracy", ("trial", "round"))
    density = over_seeds(known, "density", ("trial", "round"))
    lines = accuracy.merge(density, on=["trial", "round"], suffixes=("", "_density"))
    x = lines["mean_density"]
    single = x.nunique() == 1
    lines = lines.assign(x=set_apart(x) if single else x, band=lines["error"].fillna(0))
    style.logarithmic(ax, "x", lines["x"], least=0.3)
    for trial, line in lines.sort_values("x", ascending=False).groupby("trial", sort=False):
        look = seen.of[str(trial)]
        drawn = {"color": look.colour, "linewidth": look.weight}
        marks = {"marker": look.marker, "markersize": 0.7 * look.marks}
        ax.plot(line["x"], line["mean"], linestyle=look.dashes, **drawn, **marks, label=trial)
        if single:
            ax.errorbar(line["x"], line["mean"], line["band"], **drawn, capsize=2)
        elif seen.few:
            lower, upper = line["mean"] - line["band"], line["mean"] + line["band"]
            ax.fill_between(line["x"], lower, upper, color=look.colour, alpha=0.18, linewidth=0)
    if single:
        ax.set_xticks([x.iloc[0]], [f"{x.iloc[0]:g}"])
    ax.invert_xaxis()
    ax.set(xlabel=style.axis_label("density"), ylabel=style.axis_label("test_accuracy"))
    seen.legend(fig)
    banded = (lines["count"] > 1).any() and (seen.few or single)
    spread = f"{'bar' if single else 'band'}: one standard error over seeds" if banded else ""
    aside = "trials of equal density stand side by side" if single and len(lines) > 1 else ""
    style.note(fig, spread, aside, style.left_out(diverged, len(networks)))
    return fig
