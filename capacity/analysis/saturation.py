"""Figure: the saturation of every layer while networks trained, a heat map per trial."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from capacity.analysis import style
from capacity.analysis.looks import looks
from capacity.analysis.statistics import tickets_only
from capacity.names import natural

MOST = 6  # trials that a page holds
PLACE = "before"
_MAP = "viridis"
_HEAD, _LAYER = 0.62, 0.2  # inches of a trial without its layers, and of a layer


def figure(saturation: pd.DataFrame, networks: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """Layers down, optimiser steps along, dense networks left and each trial's sparsest right.

    Means over seeds of the layers' products with their kernels, before the non-linearity. Of many
    trials those that are spread over the order in which they are named.
    """
    rows = tickets_only(saturation)
    rows = rows[(rows["place"] == PLACE) & rows["saturation"].notna()]
    names = sorted(rows["trial"].unique(), key=natural)
    shown = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, MOST).round().astype(int))]
    last = rows.groupby("trial")["round"].transform("max")
    columns = [("dense", rows[rows["round"] == 0])]
    if (last > 0).any():
        columns.append(("sparsest", rows[(rows["round"] == last) & (last > 0)]))
    heights = [_HEAD + _LAYER * rows[rows["trial"] == t]["layer"].nunique() for t in shown]
    fig = Figure(figsize=(style.WIDTH, 0.5 + sum(heights)), layout="constrained")
    axes = fig.subplots(len(shown), len(columns), squeeze=False, height_ratios=heights)
    seen, norm = looks(networks, trials), Normalize(0, 1)
    for i, trial in enumerate(shown):
        for j, (which, part) in enumerate(columns):
            ax = axes[i][j]
            _heat(ax, part[part["trial"] == trial], norm, named=j == 0)
            title = f"{seen.of[trial].label}, " if seen.of[trial].label else ""
            ax.set_title(f"{title}{which}", fontsize=9)
    for ax in axes[-1]:
        ax.set_xlabel(style.axis_label("step", "saturation"))
    bar = fig.colorbar(ScalarMappable(norm, _MAP), ax=axes, fraction=0.035, aspect=30)
    bar.set_label(style.axis_label("saturation", "saturation"))
    left = f"{len(shown)} of {len(names)} trials; " if len(shown) < len(names) else ""
    few = "" if rows["enough"].all() else "; fewer than two samples per unit in some layers"
    style.note(fig, f"{left}means over seeds, before the non-linearity{few}")
    return fig


def _heat(ax: Axes, rows: pd.DataFrame, norm: Normalize, *, named: bool) -> None:
    """One trial in one round; blank where it has none."""
    ax.grid(visible=False)
    if rows.empty:
        ax.set_axis_off()
        return
    order = list(dict.fromkeys(rows["layer"]))
    table = rows.pivot_table(index="layer", columns="step", values="saturation", observed=True)
    values = table.reindex(order).to_numpy(float)
    steps = table.columns.to_numpy(float)
    edges = np.concatenate([[0.0], steps])
    ax.pcolormesh(edges, np.arange(len(order) + 1), values, cmap=_MAP, norm=norm, rasterized=True)
    ax.invert_yaxis()
    ax.set_yticks(np.arange(len(order)) + 0.5, order if named else [""] * len(order))
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(lambda value, _: style.thousands(value))
