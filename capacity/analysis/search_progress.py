"""Figure: how a search went on: the best so far, or the area under its front and the front."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from capacity.analysis import style
from capacity.analysis.searched import costs, searched
from capacity.config import HIGHER
from capacity.search.fronts import hypervolume_over_time, pareto_front

LARGE = 20.0  # a column whose values are so many times as large at one end is on a log scale


def figure(candidates: pd.DataFrame, networks: pd.DataFrame, objectives: Sequence[str]) -> Figure:
    """Of one objective: its value by trial and the best so far. Of more: the first two.

    Then to the left the area that the trials so far dominate, up to the worst of each, as a share
    of what all of them do; to the right the trials, darker as the search goes on, and their front.
    """
    found = searched(candidates, networks, objectives)
    when = found["number"].to_numpy() + 1
    if len(objectives) == 1:
        return _one(found, when, objectives[0])
    first, second = objectives[:2]
    fig = Figure(figsize=(style.WIDTH, style.HEIGHT), layout="constrained")
    left, right = fig.subplots(1, 2)
    two = costs(found[[first, second]])
    area = hypervolume_over_time(two, (two[:, 0].max(), two[:, 1].max()))
    left.plot(when, area / max(area[-1], 1e-300), drawstyle="steps-post", color=style.PALETTE[0])
    left.set(xlabel="Trials", ylabel="Share of the dominated area", ylim=(0, 1.05))
    _scale(right, "x", found[second])
    right.scatter(found[second], found[first], c=when, cmap="Blues", vmin=-len(when), s=14)
    front = found[pareto_front(two)].sort_values(second)
    ends = {"color": style.PALETTE[1], "marker": "o", "markerfacecolor": "none"}
    right.plot(front[second], front[first], drawstyle="steps-post", **ends, markersize=5)
    right.set(xlabel=style.axis_label(second), ylabel=style.axis_label(first))
    style.note(fig, "means over seeds; darker: later; line: Pareto front")
    return fig


def _one(found: pd.DataFrame, when: np.ndarray, name: str) -> Figure:
    fig, (ax,) = style.canvas()
    best = found[name].cummax() if name in HIGHER else found[name].cummin()
    ax.plot(when, found[name], ".", color=style.PALETTE[0], markersize=5, label="trial")
    ax.plot(when, best, drawstyle="steps-post", color=style.PALETTE[1], label="best so far")
    _scale(ax, "y", found[name])
    ax.set(xlabel="Trials", ylabel=style.axis_label(name))
    ax.legend()
    style.note(fig, "means over seeds")
    return fig


def _scale(ax, which: str, values: pd.Series) -> None:
    if len(values) and values.min() > 0 and values.max() > LARGE * values.min():
        style.logarithmic(ax, which, values)
