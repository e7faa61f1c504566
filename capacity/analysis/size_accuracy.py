"""Figure: accuracy of the decoded network against the size of the file that it was decoded from."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from capacity.analysis import style
from capacity.analysis.looks import looks
from capacity.analysis.statistics import alive, over_seeds, pareto, split_controls


def figure(networks: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """A dot per network, a path per trial through its rounds, and the Pareto front of the means.

    Path and front join means over seeds: a front of single networks would choose lucky seeds.
    """
    networks = split_controls(networks)
    known, diverged = alive(networks)
    known = known[known["coded_size"].notna() & known["coded_test_accuracy"].notna()]
    known = known.astype({"coded_size": float})
    seen = looks(networks, trials)
    fig, (ax,) = style.canvas()
    style.logarithmic(ax, "x", known["coded_size"])
    size = over_seeds(known, "coded_size", ("trial", "round"))
    accuracy = over_seeds(known, "coded_test_accuracy", ("trial", "round"))
    means = size.merge(accuracy, on=["trial", "round"], suffixes=("_size", ""))
    for trial, path in means.sort_values("round").groupby("trial", sort=False):
        look = seen.of[str(trial)]
        drawn = {"color": look.colour, "linewidth": look.weight}
        marks = {"marker": "o", "markersize": look.marks / 2}
        drawn["linestyle"] = look.dashes
        ax.plot(path["mean_size"], path["mean"], **drawn, **marks, label=trial)
        dots = known[known["trial"] == trial]
        faint = {
            "color": look.colour,
            "alpha": 0.45,
            "markersize": look.marks,
            "markeredgewidth": 0,
        }
        ax.plot(dots["coded_size"], dots["coded_test_accuracy"], ".", **faint)
    best = means.iloc[pareto(means["mean_size"].to_numpy(), means["mean"].to_numpy())]
    front = {"color": "black", "linewidth": 0.8, "marker": "o", "markerfacecolor": "none"}
    steps = {"drawstyle": "steps-post", "zorder": 1.5}
    ax.plot(best["mean_size"], best["mean"], **front, **steps, markersize=4, label="front")
    ax.set(xlabel=style.axis_label("coded_size"), ylabel=style.axis_label("coded_test_accuracy"))
    seen.legend(fig, [Line2D([], [], **front, markersize=4, label="Pareto front of means")])
    several = known["seed"].nunique() > 1
    means_of = "faint dots: networks; lines: means over seeds" if several else ""
    style.note(fig, means_of, style.left_out(diverged, len(networks)))
    return fig
