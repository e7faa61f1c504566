"""The summary as a LaTeX table, with headers from the schema."""

import re

import pandas as pd

from capacity.analysis.summary import number, whole
from capacity.rows import NetworkRow
from capacity.rows.columns import columns

LONG = 35  # rows that fit a page; a longer table is broken over pages
MISSING = "--"
DENSE = ("test_accuracy", "coded_size")
TICKET = ("density", "test_accuracy", "weight_entropy", "coded_size")
SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def escape(text: str) -> str:
    """Plain text as LaTeX text."""
    return re.sub(r"[&%$#_{}\\~^<>|]", lambda match: SPECIAL[match[0]], text)


def latex(table: pd.DataFrame) -> str:
    """The summary of `summary.summary` as a booktabs `tabular`, or a `longtable` if it is long."""
    long = len(table) > LONG
    environment = "longtable" if long else "tabular"
    packages = r"\usepackage{booktabs,longtable}" if long else r"\usepackage{booktabs}"
    names = ["parameters", *DENSE, *TICKET]
    lines = [
        f"% needs {packages} in the preamble",
        r"\begingroup\footnotesize\setlength{\tabcolsep}{3pt}",
        f"\\begin{{{environment}}}{{lr rr rrrr}}",
        r"\toprule",
        r" & & \multicolumn{2}{c}{dense} & \multicolumn{4}{c}{sparsest as accurate} \\",
        r"\cmidrule(lr){3-4} \cmidrule(l){5-8}",
        " & ".join(["trial", *map(_symbol, names)]) + r" \\",
        " & ".join(["", *map(_unit, names)]) + r" \\",
        r"\midrule",
        *([r"\endhead"] if long else []),
        *(_row(row) for row in table.to_dict("records")),
        r"\bottomrule",
        f"\\end{{{environment}}}",
        r"\endgroup",
    ]
    return "\n".join(lines) + "\n"


def _symbol(column: str) -> str:
    return f"${columns(NetworkRow)[column].symbol}$"


def _unit(column: str) -> str:
    unit = columns(NetworkRow)[column].unit
    return rf"\scriptsize ({escape(unit)})" if unit else ""


def _row(row: dict) -> str:
    cells = [escape(row["trial"]), _whole(row["parameters"])]
    cells += [_plus_minus(row, "dense_test_accuracy"), _whole(row["dense_coded_size"])]
    cells += [number(row["ticket_density"], 3, MISSING), _plus_minus(row, "ticket_test_accuracy")]
    cells += [number(row["ticket_weight_entropy"], 2, MISSING), _whole(row["ticket_coded_size"])]
    return " & ".join(cells) + r" \\"


def _whole(value: float | int) -> str:
    return whole(value, r"\,", MISSING)


def _plus_minus(row: dict, column: str) -> str:
    mean, error = row[column], row[f"{column}_error"]
    if pd.isna(mean) or pd.isna(error):
        return number(mean, 4, MISSING)
    return f"${mean:.4f} \\pm {error:.4f}$"
