"""Bits of networks above bits of what they were trained on or could hold, on equal terms."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from capacity.analysis import style
from capacity.analysis.looks import looks
from capacity.analysis.statistics import alive, over_seeds, set_apart, tickets, tickets_only


def figure(
    networks: pd.DataFrame,
    trials: pd.DataFrame,
    *,
    x: str,
    y: str,
    level: str,
    per_unit: int = 1,
    y_label: str | None = None,
) -> Figure:
    """A path per trial from the dense network down to the sparsest, and the line of equal bits.

    Each point is a mean over seeds. The sparsest round that is as accurate as the dense one is
    filled. Controls are left out. Trials that share a value of `x` stand side by side.

    Args:
      x: a column in bits that is the same in all rounds of a trial.
      y: a column of which each unit is `per_unit` bits; `y_label` names it if that is not 1.
      level: a column in bits, drawn as a short bar per trial where it is known and not zero.
    """
    networks = tickets_only(networks)
    known, diverged = alive(networks)
    known = known[known[y].astype(float) > 0]
    seen, chosen = looks(networks, trials), tickets(networks)
    by_trial = known.groupby("trial", sort=False)
    middle, heights = by_trial[x].mean().astype(float), by_trial[level].mean().astype(float)
    places = set_apart(middle)
    means = over_seeds(
        known.assign(bits=per_unit * known[y].astype(float)), "bits", ("trial", "round")
    )
    fig, (ax,) = style.canvas()
    style.logarithmic(ax, "x", middle)
    style.logarithmic(ax, "y", pd.concat([means["mean"], heights, middle.nsmallest(1)]))
    for trial, path in means.sort_values("round").groupby("trial", sort=False):
        look = seen.of[str(trial)]
        bits, at = path["mean"], np.full(len(path), places[trial])
        drawn = {"color": look.colour, "linewidth": 0.8 * look.weight}
        dashes = {"linestyle": look.dashes, "marker": ".", "markersize": look.marks / 2}
        ax.plot(at, bits, **dashes, **drawn, label=trial)
        for at_round, fill in ((0, "white"), (chosen.get(trial), look.colour)):
            now = (path["round"] == at_round).to_numpy()
            circle: dict[str, Any] = {
                "markersize": look.marks,
                "markerfacecolor": fill,
                "linestyle": "none",
            }
            ax.plot(at[now], bits[now], marker="o", color=look.colour, zorder=3, **circle)
        if heights[trial] > 0:
            bar: dict[str, Any] = {"markersize": 1.6 * look.marks, "markeredgewidth": look.weight}
            ax.plot(places[trial], heights[trial], "_", color=look.colour, zorder=4, **bar)
    ax.axline((1, 1), (10, 10), color=style.GREY, linestyle=":", linewidth=1, zorder=0)
    ax.set(xlabel=style.axis_label(x), ylabel=y_label or style.axis_label(y))
    seen.legend(fig, _entries(level, bool((heights > 0).any())))
    ticket = "ticket: sparsest round as accurate as dense"
    shared = len(middle) > middle.round(6).nunique()
    aside = f"trials of equal {x.replace('_', ' ')} stand side by side" if shared else ""
    style.note(fig, ticket, aside, style.left_out(diverged, len(networks)))
    return fig


def _entries(level: str, levels: bool) -> list[Artist]:
    mark = {"color": style.GREY, "linestyle": "none", "markersize": 5}
    bar = Line2D([], [], marker="_", **mark, label=level.replace("_", " "))
    return [
        Line2D([], [], marker="o", **mark, markerfacecolor="white", label="dense"),
        Line2D([], [], marker="o", **mark, label="ticket"),
        *([bar] if levels else []),
        Line2D([], [], color=style.GREY, linestyle=":", label="equal bits"),
    ]
