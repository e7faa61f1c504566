"""A search: what its trials came to in the columns that it was for, and the best of them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from capacity.analysis.statistics import tickets_only
from capacity.analysis.summary import aligned, number, whole
from capacity.config import HIGHER
from capacity.rows import NetworkRow
from capacity.rows.columns import columns
from capacity.search.fronts import hypervolume, pareto_front

LEGEND = (
    "Means over seeds, ± one standard error, of the last round's tickets. No other trial is as "
    "good in all of these columns. Each was chosen for what it measured, which flatters it."
)


def values(networks: pd.DataFrame, objectives: Sequence[str]) -> pd.DataFrame:
    """Means over seeds by trial, in order of appearance: of the tickets of its last round.

    NaN where a seed diverged or a value is missing: such a trial has failed.
    """
    networks = tickets_only(networks)
    last = networks["round"] == networks.groupby("trial")["round"].transform("max")
    networks = networks[last]
    known = networks[list(objectives)].astype(float)
    known = known.where(~networks["diverged"].astype(bool))
    return known.groupby(networks["trial"], sort=False).agg(
        lambda column: column.mean(skipna=False)
    )


def costs(values: pd.DataFrame) -> np.ndarray:
    """The same [trials, objectives], smaller being better."""
    signs = [-1.0 if name in HIGHER else 1.0 for name in values]
    return values.to_numpy(float) * np.array(signs)


def searched(
    candidates: pd.DataFrame, networks: pd.DataFrame, objectives: Sequence[str]
) -> pd.DataFrame:
    """The trials that neither failed nor were stopped early, as they were proposed.

    Returns:
      A row per trial: trial, number, parent, each objective, its `_error` (of the mean over seeds,
      NaN for one) and `front`: whether no other trial is as good in all and better in one.
    """
    found = candidates.sort_values("number")[["trial", "number", "parent"]]
    means = values(networks, objectives)
    errors = tickets_only(networks)
    last = errors["round"] == errors.groupby("trial")["round"].transform("max")
    errors = errors[last].groupby("trial")[list(objectives)].agg(lambda v: v.astype(float).sem())
    found = found.merge(means, left_on="trial", right_index=True)
    found = found.merge(errors.add_suffix("_error"), left_on="trial", right_index=True)
    found = found.dropna(subset=list(objectives)).reset_index(drop=True)
    return found.assign(front=pareto_front(costs(found[list(objectives)])))


def text(found: pd.DataFrame, objectives: Sequence[str], trials: int, stopped: int = 0) -> str:
    """The best trial, or the front by its first column, and what naming one of them takes."""
    best = found[found["front"]].sort_values(objectives[0], ascending=objectives[0] not in HIGHER)
    lines = [["trial", "number", *(name.replace("_", " ") for name in objectives)]]
    for row in best.to_dict("records"):
        lines.append([row["trial"], str(row["number"]), *(_cell(row, name) for name in objectives)])
    said = [f"{len(found)} trials did not fail"]
    said += [f"{stopped} were stopped early"] if stopped else []
    if len(objectives) == 2 and len(found):
        every = costs(found[list(objectives)])
        area = hypervolume(every, tuple(every.max(axis=0)))
        said.append(f"hypervolume up to the worst of each column {area:.4g}")
    said.append(f"naming one of {trials} trials: {math.log2(trials):.2f} bits")
    return "\n\n".join([aligned(lines, heads=1), "; ".join(said)])


def _cell(row: Mapping[Any, Any], name: str) -> str:
    error = row[f"{name}_error"]
    if columns(NetworkRow)[name].unit in ("bytes", "bits", "weights"):
        return whole(row[name]) + ("" if pd.isna(error) else f" ±{whole(error)}")
    return number(row[name], 4) + ("" if pd.isna(error) else f" ±{error:.4f}")
