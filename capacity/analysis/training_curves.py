"""Figure: validation loss while the dense and the sparsest networks trained."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from capacity.analysis import style
from capacity.analysis.looks import Looks, looks
from capacity.analysis.statistics import alive, over_seeds, split_controls


def figure(networks: pd.DataFrame, curves: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """A panel for the first round and one for each trial's last, a line per trial in each.

    Lines are means over seeds, in a band of one standard error on either side.
    """
    networks, curves = split_controls(networks), split_controls(curves)
    known, diverged = alive(networks)
    keys = ["trial", "seed", "round"]
    drawn = curves.merge(known[keys], on=keys)
    last = drawn.groupby("trial")["round"].transform("max")
    panels = {"Dense (round 0)": drawn[drawn["round"] == 0]}
    if (last > 0).any():
        rounds = sorted(set(last[last > 0]))
        name = str(rounds[0]) if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
        panels[f"Sparsest (round {name})"] = drawn[(drawn["round"] == last) & (last > 0)]
    seen = looks(networks, trials)
    fig, axes = style.canvas(len(panels))
    means = over_seeds(drawn, "validation_loss", ("trial", "round", "step"))["mean"]
    style.logarithmic(axes[0], "y", means)
    for ax, (title, rows) in zip(axes, panels.items(), strict=True):
        _lines(ax, rows, seen)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel(style.axis_label("step", "curves"))
    axes[0].set_ylabel(style.axis_label("validation_loss", "curves"))
    seen.legend(fig)
    spread = (
        "band: one standard error over seeds" if seen.few and drawn["seed"].nunique() > 1 else ""
    )
    style.note(fig, spread, style.left_out(diverged, len(networks)))
    return fig


def _lines(ax: Axes, rows: pd.DataFrame, seen: Looks) -> None:
    for trial, line in (
        over_seeds(rows, "validation_loss", ("trial", "step"))
        .sort_values("step")
        .groupby("trial", sort=False)
    ):
        look = seen.of[str(trial)]
        drawn = {"color": look.colour, "linewidth": look.weight}
        ax.plot(line["step"], line["mean"], linestyle=look.dashes, **drawn, label=trial)
        if seen.few:
            band = line["error"].fillna(0)
            lower, upper = line["mean"] - band, line["mean"] + band
            ax.fill_between(line["step"], lower, upper, color=look.colour, alpha=0.18, linewidth=0)
