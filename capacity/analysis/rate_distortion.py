"""Figure: what each codec makes of the networks, bits per weight against accuracy lost."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from capacity.analysis import style
from capacity.analysis.statistics import over_seeds, tickets_only

KEY = ("trial", "round", "control")
MARKS = "osD^vP*X<>p"


def figure(networks: pd.DataFrame, codecs: pd.DataFrame) -> Figure:
    """A mark per codec, trial and round: means over seeds of bits per weight and accuracy lost.

    Bits are those of the whole file over all weights of the architecture, pruned ones included; the
    accuracy is that of the decoded network less the network's own, on the test split, in points.
    Filled where the validation accuracy of every seed is within the tolerance. Controls are left
    out.
    """
    own = tickets_only(networks)[[*KEY, "seed", "parameters", "test_accuracy"]]
    rows = codecs.merge(own, on=[*KEY, "seed"], suffixes=("", "_own"))
    rows = rows.assign(
        rate=8 * rows["coded_size"].astype(float) / rows["parameters"],
        change=100 * (rows["test_accuracy"] - rows["test_accuracy_own"]),
    )
    by = ("codec", "trial", "round")
    means = over_seeds(rows, "rate", by).merge(
        over_seeds(rows, "change", by), on=list(by), suffixes=("_rate", "")
    )
    within = rows.groupby(list(by))["within_tolerance"].all().rename("within").reset_index()
    means = means.merge(within, on=list(by))
    fig, (ax,) = style.canvas()
    style.logarithmic(ax, "x", means["mean_rate"])
    for i, (codec, points) in enumerate(means.groupby("codec", sort=False)):
        colour = style.PALETTE[i % len(style.PALETTE)]
        drawn: dict[str, Any] = {
            "color": colour,
            "linestyle": "none",
            "marker": MARKS[i % len(MARKS)],
        }
        for kept, fill in ((True, "full"), (False, "none")):
            part = points[points["within"] == kept]
            label = str(codec) if kept or not points["within"].any() else "_other"
            ax.plot(part["mean_rate"], part["mean"], **drawn, fillstyle=fill, label=label)
    ax.axhline(0, color=style.GREY, linestyle=":", linewidth=1, zorder=0)
    ax.set(xlabel="File (bits/weight)", ylabel="Test accuracy, decoded less own (points)")
    named = {label: line for line in ax.lines if (label := str(line.get_label()))[0] != "_"}
    fig.legend(handles=list(named.values()), loc="outside right upper")
    several = "means over seeds; " if networks["seed"].nunique() > 1 else ""
    style.note(fig, f"{several}hollow: beyond the tolerance on the validation split")
    return fig
