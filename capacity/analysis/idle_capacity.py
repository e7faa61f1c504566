"""Figure: critical sparsity against saturation: does idle width say how much can be pruned?"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from capacity.analysis import style
from capacity.analysis.critical import critical
from capacity.analysis.looks import looks
from capacity.analysis.statistics import TICKET, over_seeds

LEAST = 2  # trials that can be compared


def points(layers: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """A row per trial whose layers were watched and that was pruned, for at least two seeds.

    Returns:
      trial, mean and error (saturation of the dense networks, mean over their hidden layers by
      width, over seeds), and the fields of `Critical`.
    """
    dense = layers[(layers["round"] == 0) & (layers["control"] == TICKET)]
    hidden = dense[dense["saturation"].notna() & ~dense["tensor"].str.startswith("output/")]
    if hidden.empty:
        return pd.DataFrame(columns=["trial", "mean", "error", "sparsity", "low", "high"])
    width = hidden["shape"].str.rpartition("x")[2].astype(float)
    keys = [hidden["trial"], hidden["seed"]]
    used = (hidden["saturation"].astype(float) * width).groupby(keys, sort=False).sum()
    share = (used / width.groupby(keys, sort=False).sum()).rename("saturation").reset_index()
    found = critical(networks)
    found = found[found["control"] == TICKET]
    means = over_seeds(share, "saturation", ["trial"])[["trial", "mean", "error"]]
    return means.merge(found, on="trial")


def figure(layers: pd.DataFrame, networks: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """A point per trial, with one standard error along and the interval of the sparsity up."""
    drawn = points(layers, networks)
    seen = looks(networks[networks["control"] == TICKET], trials)
    fig, (ax,) = style.canvas()
    for row in drawn.to_dict("records"):
        look = seen.of[str(row["trial"])]
        ends = [[row["sparsity"] - row["low"]], [row["high"] - row["sparsity"]]]
        error = np.nan_to_num(row["error"])
        bars = {"color": look.colour, "capsize": 2, "linewidth": 0.8, "markersize": look.marks}
        ax.errorbar(
            row["mean"],
            row["sparsity"],
            np.maximum(ends, 0),
            error,
            "o",
            label=row["trial"],
            **bars,
        )
    ax.set(xlabel=style.axis_label("saturation", "layers"), ylabel="Critical sparsity")
    seen.legend(fig)
    ranks = drawn[["mean", "sparsity"]].rank()
    order = ranks["mean"].corr(ranks["sparsity"]) if len(drawn) > LEAST else float("nan")
    told = "" if np.isnan(order) else f"Spearman's rank correlation {order:+.2f}"
    style.note(fig, "hidden layers of dense networks, weighted by width", told)
    return fig
