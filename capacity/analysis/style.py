"""How figures look: fonts and sizes for a printed page, axis labels from the schema, notes."""

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from capacity.rows import TABLES
from capacity.rows.columns import columns

WIDTH, HEIGHT = 6.0, 3.4  # inches: the text width of A4 with 29 mm margins
# Okabe & Ito (2008), without its yellow, which is hard to see on white
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY = "#666666"
RC: Any = {
    "font.family": "serif",
    "font.serif": ["STIXGeneral"],
    "mathtext.fontset": "stix",
    "font.size": 10,
    "axes.labelsize": 10,
    "legend.fontsize": 8.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 220,
    "pdf.fonttype": 42,  # TrueType: text stays text in the PDF
}


@contextmanager
def page() -> Iterator[None]:
    """Within it, figures are drawn and saved for a printed page."""
    with mpl.rc_context(RC):
        yield


def canvas(panels: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty figure of the page's width with panels side by side that share their y axis."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    return figure, list(figure.subplots(1, panels, sharey=True, squeeze=False)[0])


def axis_label(column: str, table: str = "networks", *, per_unit: int = 1, unit: str = "") -> str:
    """The label of an axis: name, symbol and unit of a column of the schema.

    Values drawn in another `unit`, of which the column's has `per_unit`, are labelled as such.
    """
    c = columns(TABLES[table])[column]
    symbol = f"{per_unit}\\,{c.symbol}" if per_unit != 1 else c.symbol
    parts = [column.replace("_", " ").capitalize(), f"${symbol}$" if symbol else ""]
    unit = unit or c.unit
    return " ".join(filter(None, [*parts, f"({unit})" if unit else ""]))


def logarithmic(ax: Axes, which: str, values: pd.Series, least: float = 1.0) -> None:
    """Make the axis "x" or "y" logarithmic, with plain numbers and room for `values`.

    It covers at least `least` decades, so that small differences do not look like large ones.
    """
    logs = np.log10(values[values > 0].astype(float))
    low, high = (logs.min(), logs.max()) if len(logs) else (0.0, 0.0)
    margin = max(0.05 * (high - low), (least - (high - low)) / 2)
    low, high = low - margin, high + margin
    ax.set(**{f"{which}scale": "log", f"{which}lim": (10**low, 10**high)})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high - low < 2.5 else (1,), numticks=20))
    axis.set_major_formatter(FuncFormatter(lambda value, _: thousands(value)))
    axis.set_minor_locator(NullLocator())


def thousands(value: float) -> str:
    """A round number in few characters: 0.5, 200, 5k, 20M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def note(figure: Figure, *sentences: str) -> None:
    """Small print below the figure, of the sentences that are not empty."""
    lines = textwrap.wrap("; ".join(filter(None, sentences)), 100)
    figure.supxlabel("\n".join(lines), fontsize=7.5, color=GREY)


def left_out(diverged: int, of: int) -> str:
    """The note that some networks diverged; empty if none did."""
    return f"{diverged} of {of} networks diverged and are left out" if diverged else ""


def saved(figure: Figure, kind: str) -> bytes:
    """The figure as a "pdf" or "png" file, undated: the same tables give the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata={"CreationDate": None} if kind == "pdf" else None)
    return buffer.getvalue()
