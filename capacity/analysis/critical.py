"""Critical sparsity: how much of each trial's network can go, as a frame and as text."""

import numpy as np
import pandas as pd

from capacity.analysis.statistics import TICKET, alive
from capacity.analysis.summary import aligned, number, whole
from capacity.pruning import NEVER_FALLS, STARTS_BELOW, Critical, critical_sparsity

COLUMNS = ("trial", "seeds", "dense accuracy", "tolerance", "critical sparsity", "95 %", "weights")
LEGEND = (
    "Critical sparsity: the largest share of the prunable weights that can go while the mean test "
    "accuracy over seeds is within one standard error of the dense networks', by interpolation, "
    "with its 95 % interval over seeds; >= where it never falls, <= where the first round is below "
    "already. Weights: what is left there, biases included. Seeds that diverged in a round that "
    "others survived are left out; a round that none survived has an accuracy of 0."
)
_BOUND = {NEVER_FALLS: ">= ", STARTS_BELOW: "<= "}
_COLUMNS = ("trial", "control", "seeds", "accuracy", *Critical._fields, "weights")


def critical(networks: pd.DataFrame) -> pd.DataFrame:
    """Of every trial with pruned rounds and two seeds or more, and of each of its controls.

    Returns:
      A row per trial and control: trial, control, seeds, accuracy (mean, dense), the fields of
      `Critical`, weights (left at the critical sparsity, interpolated). Controls are measured
      against the dense networks of their trial.
    """
    rows = []
    for trial, own in networks.groupby("trial", sort=False):
        dense = own[(own["round"] == 0) & (own["control"] == TICKET)]
        for control, pruned in own[own["round"] > 0].groupby("control", sort=False):
            if (pruned["density"] == 1).all():
                continue  # a dense network of another size
            found = _critical(dense, pruned)
            if found is not None:
                rows.append((trial, control, *found))
    return pd.DataFrame(rows, columns=pd.Index(_COLUMNS))


def text(found: pd.DataFrame) -> str:
    """The frame as lines of plain text, for the end of a sweep."""
    lines: list[list[str]] = [list(COLUMNS)]
    for row in found.to_dict("records"):
        name = row["trial"] + ("" if row["control"] == TICKET else f", {row['control']}")
        value = _BOUND.get(row["verdict"], "") + number(row["sparsity"], 3)
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        accuracy = number(row["accuracy"], 4), number(row["tolerance"], 4)
        lines.append([name, str(row["seeds"]), *accuracy, value, interval, whole(row["weights"])])
    return aligned(lines, heads=1)


def _critical(dense: pd.DataFrame, pruned: pd.DataFrame) -> tuple | None:
    known = pd.concat([alive(dense)[0], alive(pruned)[0]])
    table = known.pivot_table(index="seed", columns="round", values="test_accuracy").dropna()
    for lost in set(pruned["round"]) - set(table.columns):
        table[lost] = 0.0  # No seed survived it, which is no round to be left out.
    table = table.sort_index(axis=1)
    rounds = [r for r in map(int, table.columns) if r > 0]
    if len(table) < 2 or 0 not in table.columns or not rounds:
        return None
    by_round = pruned.groupby("round")[["density", "remaining"]].mean().loc[rounds]
    sparsity = 1 - by_round["density"].to_numpy(float)
    order = np.argsort(sparsity, kind="stable")
    order = order[np.append(True, np.diff(sparsity[order]) > 0)]
    accuracies = table[rounds].to_numpy(float)[:, order]
    found = critical_sparsity(
        sparsity[order], accuracies, table[0].to_numpy(float), np.random.default_rng(0)
    )
    left = by_round["remaining"].to_numpy(float)[order]
    weights = float(np.interp(found.sparsity, sparsity[order], left))
    return len(table), float(table[0].mean()), *found, weights
