"""Figure and lines of text: memorised bits against the bits of random labels, and their knee."""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from capacity.analysis import style
from capacity.analysis.looks import looks
from capacity.analysis.statistics import over_seeds
from capacity.analysis.summary import aligned, number, whole

COLUMNS = ("trial", "weights", "MEC", "knee", "bits", "95 %", "bits/weight", "twice the steps")
LEGEND = (
    "Bits that each architecture holds: the largest, over training-set sizes, of the mean of the "
    "seeds' memorised bits of random labels, with its 95 % interval. MEC: "
    "memory-equivalent capacity. Knee: examples where it stands. Twice the steps: by how much they "
    "change it; ! marks 2 % and more. Seeds that diverged at any size are in no mean."
)


def figure(memorised: pd.DataFrame, capacities: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """Bits of labels held over bits of labels given, both per weight: a line per architecture.

    A line is the mean over seeds with its standard error, a ring its largest value, the capacity.
    Runs with twice the steps are left out: they are the check. So are, as from the capacity, seeds
    of which any network diverged.
    """
    rows = memorised.merge(
        capacities[["trial", "steps", "parameters"]], on=["trial", "steps"], how="inner"
    )
    lost = rows.groupby(["trial", "seed"])["diverged"].transform("any").astype(bool)
    note = style.left_out(int(rows["diverged"].sum()), len(rows))
    rows = rows[~lost].assign(
        given=rows["label_bits"] / rows["parameters"],
        held=rows["memorised_bits"] / rows["parameters"],
    )
    seen = looks(capacities.assign(train_size=0, label_noise=0.0), trials)
    fig, (ax,) = style.canvas()
    means = over_seeds(rows, "held", ("trial", "given")).fillna({"error": 0.0})
    for trial, line in means.sort_values("given").groupby("trial", sort=False):
        look = seen.of[str(trial)]
        drawn = {"color": look.colour, "linewidth": look.weight, "label": trial}
        ax.errorbar(line["given"], line["mean"], line["error"], fmt=".-", **drawn)
        knee = line.nlargest(1, "mean")
        ring = {"markersize": 1.8 * look.marks, "markerfacecolor": "none", "color": look.colour}
        ax.plot(knee["given"], knee["mean"], "o", **ring)
    most = 1.15 * means["mean"].max() if len(means) else 1.0
    ax.plot([0, most], [0, most], ":", color=style.GREY, linewidth=1, zorder=0)
    ax.set(
        xlim=(0, None),
        ylim=(0, most),
        xlabel=r"Random labels $N\log_2 K / P$ (bits/weight)",
        ylabel=r"Memorised $(N\log_2 K - \mathrm{NLL}) / P$ (bits/weight)",
    )
    every: list[Artist] = [
        Line2D([], [], color=style.GREY, linestyle=":", label="all of them"),
        Line2D(
            [],
            [],
            color=style.GREY,
            linestyle="none",
            marker="o",
            fillstyle="none",
            label="capacity",
        ),
    ]
    seen.legend(fig, every)
    seeds = f"means over {int(rows['seed'].nunique())} seeds, with one standard error"
    style.note(fig, seeds, f"{note}, with all of their seeds" if note else "")
    return fig


def text(capacities: pd.DataFrame) -> str:
    """What each architecture can hold, as lines of plain text for the end of a sweep."""
    lines: list[list[str]] = [list(COLUMNS)]
    for row in capacities.to_dict("records"):
        knee = whole(row["knee_size"]) + (
            " (largest)" if pd.notna(row["at_edge"]) and row["at_edge"] else ""
        )
        ends = row["capacity_low"], row["capacity_high"]
        interval = "-" if pd.isna(ends[0]) else " to ".join(map(whole, ends))
        numbers = [whole(row["capacity"]), interval, number(row["bits_per_parameter"], 3)]
        size = [whole(row["parameters"]), whole(row["memory_capacity"]), knee]
        lines.append([row["trial"], *size, *numbers, _change(row)])
    return aligned(lines, heads=1)


def _change(row: dict) -> str:
    """By how much twice the steps change the capacity."""
    if pd.isna(row["doubled_capacity"]) or not row["capacity"] > 0:
        return "-"
    change = 100 * (row["doubled_capacity"] / row["capacity"] - 1)
    return f"{change:+.1f} %" + ("" if row["converged"] else " !")
