"""The ledger of each architecture: lines down, trials across, as a frame, as text and as LaTeX."""

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from capacity.analysis.latex import MISSING, escape
from capacity.analysis.statistics import TICKET
from capacity.analysis.summary import aligned, number, whole
from capacity.rows import LedgerRow
from capacity.rows.columns import Column, columns

TOGETHER = 3  # trials side by side in the text
ON_A_PAGE = 3  # and in LaTeX
LINES: dict[str, str | None] = {
    "uniform_bits": None,
    "label_bits": None,
    "noise_floor": None,
    "prequential_bits": "prequential_error",
    "first_epoch_bits": None,
    "surplus_bits": None,
    "sample_complexity": None,
    "fit_bits": None,
    "weight_information": "weight_information_error",
    "generalising_bits": "generalising_error",
    "memorised_bits": "memorised_error",
    "known_bits": None,
    "coded_bits": None,
    "coded_fit_bits": None,
    "two_part_bits": None,
    "search_bits": None,
    "memory_capacity": None,
    "memory_capacity_running": None,
    "memory_capacity_input": None,
    "threshold_bits": None,
    "float32_bits": None,
    "measured_capacity": None,
    "fill_memory": None,
    "fill_threshold": None,
    "fill_measured": None,
    "storage_redundancy": None,
    "excess_bits": "prequential_error",
    "compression_gain": None,
}
"""Every line, and the column of its standard error over the draw of the labels."""
LEGEND = (
    "Of the dense networks: means over seeds, ± one standard error over seeds. In brackets, where "
    "known, the standard error over the draw of the labels, which all seeds share and which does "
    "not shrink with their number."
)


def accounts(ledger: pd.DataFrame) -> pd.DataFrame:
    """Mean and errors of every line over the seeds of each trial's dense networks.

    Returns:
      A row per trial and line that is known of any trial: trial, line, mean, error (over seeds, NaN
      for one), draw (over the draw of the labels, NaN where unknown); a mean of nothing is NaN.
    """
    dense = ledger[(ledger["round"] == 0) & (ledger["control"] == TICKET)]
    rows = []
    for trial, networks in dense.groupby("trial", sort=False):
        for line, draw in LINES.items():
            values = networks[line].astype(float)
            errors = networks[draw].astype(float) if draw else pd.Series(dtype=float)
            rows.append((trial, line, values.mean(), values.sem(), errors.mean()))
    found = pd.DataFrame(rows, columns=["trial", "line", "mean", "error", "draw"])
    known = found.groupby("line")["mean"].transform(lambda means: means.notna().any())
    return found[known.astype(bool)]


def text(found: pd.DataFrame) -> str:
    """The accounts as blocks of plain text, with what it takes to name one of the trials."""
    blocks = []
    for trials in _groups(found, TOGETHER):
        lines = [["line", "kind", *trials]]
        for c, cells in _lines(found, trials):
            name = c.name.replace("_", " ") + ("" if c.unit else " (ratio)")
            lines.append([name, c.kind, *map(_plain, cells)])
        blocks.append(aligned(lines, heads=1))
    count = found["trial"].nunique()
    bits = math.log2(count) if count else 0.0
    named = f"naming one of the {count} trials, as the best: {bits:.2f} bits"
    charged = "search_bits" in set(found["line"])  # more were tried than are here
    return "\n\n".join([*blocks, *([named] if count > 1 and not charged else [])])


def latex(found: pd.DataFrame) -> str:
    """The accounts as booktabs tables of a few trials each."""
    parts = [r"% needs \usepackage{booktabs} in the preamble"]
    for trials in _groups(found, ON_A_PAGE):
        parts += [
            r"\begingroup\footnotesize\setlength{\tabcolsep}{4pt}",
            f"\\begin{{tabular}}{{lll{'r' * len(trials)}}}",
            r"\toprule",
            " & ".join(["line", "", "kind", *map(escape, trials)]) + r" \\",
            r"\midrule",
        ]
        for c, cells in _lines(found, trials):
            name = escape(c.name.replace("_", " "))
            symbol = f"${c.symbol}$" if c.symbol else ""
            parts.append(" & ".join([name, symbol, c.kind, *map(_typeset, cells)]) + r" \\")
        parts += [r"\bottomrule", r"\end{tabular}", r"\endgroup", ""]
    return "\n".join(parts)


def _groups(found: pd.DataFrame, size: int) -> Iterator[tuple[str, ...]]:
    trials = tuple(map(str, found["trial"].unique()))
    return (trials[i : i + size] for i in range(0, len(trials), size))


def _lines(found: pd.DataFrame, trials: Sequence[str]) -> Iterator[tuple[Column, list[dict]]]:
    described = columns(LedgerRow)
    for line, rows in found.groupby("line", sort=False):
        by_trial = rows.set_index("trial")
        yield described[str(line)], [by_trial.loc[t].to_dict() | {"line": line} for t in trials]


def _plain(cell: dict) -> str:
    return _cell(cell, whole, " ±", "-")


def _typeset(cell: dict) -> str:
    def thin(value: float) -> str:
        return f"{'-' if value < 0 else ''}{whole(abs(value), chr(92) + ',')}"

    said = _cell(cell, thin, r" \pm ", MISSING)
    return said if said == MISSING else f"${said}$"


def _cell(cell: dict, whole_number, plus_minus: str, missing: str) -> str:
    """A number in bits whole, a ratio with three digits; its errors behind it."""
    if pd.isna(cell["mean"]):
        return missing

    def said(value: float) -> str:
        return whole_number(value) if columns(LedgerRow)[cell["line"]].unit else number(value, 3)

    # Equal values have an error too, of the last digits.
    spread = cell["error"] > 1e-9 * abs(cell["mean"])
    error = plus_minus + said(cell["error"]) if spread else ""
    draw = "" if pd.isna(cell["draw"]) else f" ({said(cell['draw'])})"
    return said(cell["mean"]) + error + draw
