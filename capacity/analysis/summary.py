"""A row per trial: the dense network and its ticket, as a frame and as text for a terminal."""

from collections.abc import Sequence

import pandas as pd

from capacity.analysis.statistics import alive, over_seeds, tickets, tickets_only

FIXED = ("parameters", "memory_capacity", "label_bits")  # the same in every network of a trial
LEGEND = (
    "Means over seeds, ± one standard error. The ticket is the sparsest round whose validation "
    "accuracy is within one standard error of the dense network's."
)
MEASURED = ("density", "test_accuracy", "weight_entropy", "coded_size", "coded_test_accuracy")


def summary(networks: pd.DataFrame) -> pd.DataFrame:
    """What each trial came to, as means over the seeds that did not diverge; without controls.

    Returns:
      A row per trial: trial, seeds, diverged (networks, all rounds), the columns of `FIXED`,
      ticket_round, and each column of `MEASURED` with the prefixes `dense_` and `ticket_` for its
      mean and the suffix `_error` for the standard error. The ticket is the sparsest round as
      accurate as the dense network, see `statistics.tickets`. What is unknown is NaN.
    """
    networks = tickets_only(networks)
    by_trial = networks.groupby("trial", sort=False)
    table = by_trial[list(FIXED)].first()
    table.insert(0, "seeds", by_trial["seed"].nunique())
    table.insert(1, "diverged", by_trial["diverged"].sum().astype(int))
    chosen = pd.Series(tickets(networks), dtype="Int64")
    table["ticket_round"] = chosen.reindex(table.index)
    known, _ = alive(networks)
    rounds = {
        "dense": known[known["round"] == 0],
        "ticket": known[known["round"] == known["trial"].map(chosen).fillna(-1)],
    }
    for name, chosen_rows in rounds.items():
        for column in MEASURED:
            numbers = chosen_rows.astype({column: float})
            found = over_seeds(numbers, column, ["trial"]).set_index("trial")
            table[f"{name}_{column}"] = found["mean"].reindex(table.index)
            table[f"{name}_{column}_error"] = found["error"].reindex(table.index)
    return table.reset_index()


def text(table: pd.DataFrame) -> str:
    """The summary as lines of plain text, for the end of a sweep."""
    lines = [
        ["", "", "dense", "", "ticket", "", "", ""],
        ["trial", "weights", "accuracy", "bytes", "density", "accuracy", "bits/weight", "bytes"],
    ]
    for row in table.to_dict("records"):
        dense = [_plus_minus(row, "dense_test_accuracy"), whole(row["dense_coded_size"])]
        ticket = [number(row["ticket_density"], 3), _plus_minus(row, "ticket_test_accuracy")]
        ticket += [number(row["ticket_weight_entropy"], 2), whole(row["ticket_coded_size"])]
        lines.append([row["trial"], whole(row["parameters"]), *dense, *ticket])
    if table["diverged"].any():
        last = ["", "diverged", *table["diverged"].astype(str)]
        lines = [[*line, cell] for line, cell in zip(lines, last, strict=True)]
    return aligned(lines, heads=2)


def aligned(lines: Sequence[Sequence[str]], heads: int) -> str:
    """Cells as columns of plain text, names to the left, with a rule below the `heads` lines."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in [*lines[:heads], rule, *lines[heads:]]
    )


def number(value: float, digits: int, missing: str = "-") -> str:
    """A number with a fixed count of decimals."""
    return missing if pd.isna(value) else f"{value:.{digits}f}"


def whole(value: float | int, separator: str = " ", missing: str = "-") -> str:
    """A whole number with its thousands apart."""
    return missing if pd.isna(value) else f"{round(value):,}".replace(",", separator)


def _plus_minus(row: dict, column: str) -> str:
    error = row[f"{column}_error"]
    return number(row[column], 4) + ("" if pd.isna(error) else f" ±{error:.4f}")
