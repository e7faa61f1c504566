"""Figure: where the bits of the labels went, and what the networks hold, store and could hold."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from capacity.analysis import style
from capacity.analysis.accounts import accounts
from capacity.analysis.looks import looks
from capacity.analysis.statistics import alive, tickets_only

MOST = 24  # trials; more could not be told apart
PARTS = {
    "fit_bits": ("#c8ccd1", r"left over $L_\mathrm{fit}$"),
    "memorised_bits": ("#D55E00", "memorised"),
    "generalising_bits": ("#0072B2", "generalising (EDL)"),
}
MARKS: dict[str, tuple[str, str, bool, str]] = {
    "weight_information": ("o", "#000000", True, r"information $I_w$"),
    "memory_capacity": ("<", "#009E73", False, r"capacity $C_\mathrm{MEC}$"),
    "measured_capacity": ("*", "#009E73", True, r"capacity $C$, measured"),
    "threshold_bits": (">", "#009E73", False, r"capacity $2\,P_\mathrm{eff}$"),
    "coded_bits": ("s", "#CC79A7", True, r"file $L_w$"),
    "float32_bits": ("d", "#CC79A7", False, r"float32 $32\,P$"),
}


def figure(ledger: pd.DataFrame, networks: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """A bar per trial that stacks the prequential code's parts; beside it the network in bits.

    Left, linear, as its lengths add up: what the dense network leaves of its labels, what it
    memorised and what generalises make up the prequential code, with the noise floor as a notch and
    the code's standard error. Right, logarithmic, as it spans decades: the information in the
    weights between what the architecture could hold and what the file takes; the bar from I_w to
    L_w is what storage wastes. Means over seeds.
    """
    known, diverged = alive(tickets_only(networks))
    dense = known[known["round"] == 0]
    keys = ["trial", "seed", "round", "control"]
    found = accounts(ledger.merge(dense[keys], on=keys))
    table = found.pivot(index="trial", columns="line", values="mean")
    drawn = {*PARTS, *MARKS, "noise_floor", "prequential_bits", "label_bits"}
    table = table.reindex(columns=sorted({*table.columns, *drawn})).astype(float)
    order = [str(t) for t in dense["trial"].unique() if t in table.index]
    names = looks(tickets_only(networks), trials).of
    table = table.loc[order]
    table = table[table["prequential_bits"].notna()].iloc[:MOST]
    rows = np.arange(len(table))
    fig = Figure(figsize=(style.WIDTH, 1.5 + 0.26 * max(3, len(table))), layout="constrained")
    labels, network = fig.subplots(1, 2, sharey=True, width_ratios=[1.15, 1])
    below = (table["generalising_bits"] < 0).any()
    draw = found[found["line"] == "prequential_bits"].set_index("trial")["draw"]
    _bars(labels, table, rows, draw.reindex(table.index))
    _marks(network, table, rows)
    labels.set_yticks(rows, [names[str(t)].label for t in table.index])
    labels.set_ylim(len(table) - 0.4, -0.6)
    for ax in (labels, network):
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
    fig.legend(handles=_entries(table), loc="outside upper center", ncols=4, columnspacing=1.2)
    left = f"{len(order) - len(table)} trials are left out"
    style.note(
        fig,
        "dense networks, means over seeds; the three parts add up to the prequential code, drawn "
        "with its standard error and, in numbers, its share of the labels' entropy",
        "pale band: from the information to the file",
        "a bar beyond its code generalises less than nothing" if below else "",
        "" if len(order) == len(table) else left,
        style.left_out(diverged, len(networks)),
    )
    return fig


def _bars(ax: Axes, table: pd.DataFrame, rows: np.ndarray, error: pd.Series) -> None:
    start = np.zeros(len(table))
    for line, (colour, _) in PARTS.items():
        length = table[line].clip(lower=0).fillna(0).to_numpy()
        ax.barh(rows, length, 0.62, start, color=colour, edgecolor="white", lw=0.6)
        start += length
    code, entropy = table["prequential_bits"], table["label_bits"]
    ax.errorbar(code, rows, xerr=error, fmt="|", color="black", markersize=13, capsize=2, lw=1)
    floor = table["noise_floor"]
    notch: dict[str, Any] = {"color": "white", "edgecolor": "black", "linewidths": 0.7, "zorder": 4}
    ax.scatter(floor, rows + 0.31, 26, marker="^", **notch)
    most = np.nanmax([*(code + error.fillna(0)), *start, *floor, 1.0])
    for row, bits, all_of in zip(
        rows, np.maximum(start, code + error.fillna(0)), entropy, strict=True
    ):
        share = f"{100 * code.iloc[row] / all_of:.0f} %" if all_of else ""
        ax.annotate(share, (bits, row), (4, 0), textcoords="offset points", va="center", size=8)
    ax.set(xlim=(0, 1.16 * most), xlabel="Labels (bits)")
    ax.xaxis.set_major_formatter(lambda value, _: style.thousands(value))


def _marks(ax: Axes, table: pd.DataFrame, rows: np.ndarray) -> None:
    drawn = table[[line for line in MARKS if line in table]].astype(float)
    style.logarithmic(ax, "x", pd.Series(drawn.to_numpy().ravel()))
    information, stored = drawn["weight_information"], drawn["coded_bits"]
    both = (information > 0) & (stored > 0)
    ax.hlines(rows[both], information[both], stored[both], color="#ead3e0", lw=5, zorder=1)
    for line, (marker, colour, filled, _) in MARKS.items():
        face = colour if filled else "white"
        size = 60 if marker == "*" else 24
        values = drawn[line].where(drawn[line] > 0)
        style_of: dict[str, Any] = {"facecolors": face, "edgecolors": colour, "linewidths": 1.1}
        ax.scatter(values, rows, size, marker=marker, zorder=3, **style_of)
    ax.set_xlabel("Network (bits)")


def _entries(table: pd.DataFrame) -> list[Any]:
    parts: list[Any] = [Patch(color=colour, label=name) for colour, name in PARTS.values()]
    if table["noise_floor"].notna().any():
        parts.append(_mark("^", "#000000", False, r"noise floor $N\,H(Y|X)$"))
    parts.append(_mark("|", "#000000", True, r"prequential code $L_\mathrm{preq}$"))
    return parts + [_mark(*mark) for line, mark in MARKS.items() if table[line].notna().any()]


def _mark(marker: str, colour: str, filled: bool, label: str) -> Line2D:
    face = colour if filled else "white"
    drawn: dict[str, Any] = {"marker": marker, "color": colour, "markerfacecolor": face}
    size = {"*": 8, "|": 10}.get(marker, 5)
    return Line2D([], [], linestyle="none", markersize=size, label=label, **drawn)
