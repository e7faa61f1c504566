"""Statistics over seeds, which every table and figure uses."""

import math
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

TICKET = "ticket"  # the value of `control` in a row that is no control
SMALL_DENSE = "small-dense"  # in one that is dense, and whose architecture is another
MARK = "~"  # between a trial and its control, where controls are split from their trials


def over_seeds(frame: pd.DataFrame, column: str, by: Sequence[str]) -> pd.DataFrame:
    """Mean over the seeds of each group, with its standard error, least and greatest value.

    The standard error is the sample deviation (n - 1) over the root of n, and NaN for one seed.
    Empty values are left out, and groups without any other disappear.

    Returns:
      A row per group, in order of appearance: `by`, mean, error, low, high, count.
    """
    known = frame[frame[column].notna()]
    grouped = known.groupby(list(by), sort=False)[column]
    table = grouped.agg(mean="mean", error="sem", low="min", high="max", count="count")
    return table.reset_index()


def alive(networks: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The networks that did not diverge, and how many did."""
    diverged = networks["diverged"].astype(bool)
    return networks[~diverged], int(diverged.sum())


def tickets_only(networks: pd.DataFrame) -> pd.DataFrame:
    """The networks that are no controls."""
    return networks[networks["control"] == TICKET]


def split_controls(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the controls of a trial as a trial `<trial>~<control>` of their own."""
    control = frame["trial"] + MARK + frame["control"]
    return frame.assign(trial=frame["trial"].where(frame["control"] == TICKET, control))


def tickets(networks: pd.DataFrame) -> dict[Hashable, int]:
    """By trial, the last pruning round that is as accurate as the dense network.

    That is: whose mean validation accuracy is at least the dense one minus one standard error of
    the dense one (nothing, for one seed). The test split has no say in the choice. Controls are
    left out, and so are trials without a dense network.
    """
    chosen = {}
    means = over_seeds(tickets_only(alive(networks)[0]), "validation_accuracy", ("trial", "round"))
    for trial, rounds in means.groupby("trial", sort=False):
        dense = rounds[rounds["round"] == 0]
        if len(dense):
            tolerance = np.nan_to_num(dense["error"].iloc[0])
            good = rounds["mean"] >= dense["mean"].iloc[0] - tolerance
            chosen[trial] = int(rounds.loc[good, "round"].max())
    return chosen


def pareto(cost: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Indices, by rising cost, of the points that no other point beats.

    A point is beaten by one that costs no more and is worth no less, unless both are equal.
    """
    order = np.lexsort((-value, cost))
    best = np.maximum.accumulate(np.concatenate(([-np.inf], value[order][:-1])))
    return order[value[order] > best]


def set_apart(x: pd.Series) -> pd.Series:
    """`x` > 0, with values that agree within 2 % spread evenly about their middle on a log scale.

    Neighbours are at most 6 % apart, and no group reaches into the next.
    """
    places = x.sort_values(kind="stable").map(math.log10)
    group = (places.diff() > 0.01).cumsum()
    gaps = np.diff(places.groupby(group).mean())
    room = min([0.25, *(0.7 * gaps)])
    for _, members in places.groupby(group):
        gap = min(0.025, room / len(members))
        places[members.index] = members.mean() + gap * (
            np.arange(len(members)) - (len(members) - 1) / 2
        )
    return 10 ** places.reindex(x.index)
