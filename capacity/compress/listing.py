"""What a compressed file holds, and what each codec takes, as tables for a terminal."""

from collections.abc import Iterable, Mapping

import numpy as np
from rich.table import Table

from capacity.coding.codecs import CODECS
from capacity.coding.errors import printable
from capacity.coding.header import Entry
from capacity.compress.comparison import Measured, Row


def tensors(listed: list[Entry], sizes: Mapping[str, int], zeros: Mapping[str, int]) -> Table:
    """A line per tensor of a file; sizes in bytes with its line in the header."""
    table = _table("tensor", "shape", "type", "zeros", "step", "bits/weight", "bytes", codec="left")
    for entry in listed:
        table.add_row(
            printable(entry.name),
            "x".join(map(str, entry.shape)) or "scalar",
            entry.dtype,
            percent(zeros[entry.name], entry.size),
            f"{entry.step:.6g}" if entry.quantiser == "uniform" else entry.quantiser,
            per_weight(8 * sizes[entry.name], entry.size),
            f"{sizes[entry.name]:,}",
            _codec(entry),
        )
    return table


def codecs(measured: Iterable[tuple[Row, Measured | None]], raw: int, weights: int) -> Table:
    """A line per way of writing the same network, of `raw` bytes and so many weights."""
    table = _table("of", "bytes", "ratio", "bits/weight", "encode s", "decode s", codec="left")
    for row, found in measured:
        if found is None:
            table.add_row(row.of, "", "", "", "", "", f"{row.name} (does not apply)")
            continue
        table.add_row(
            row.of,
            f"{found.size:,}",
            ratio(raw, found.size),
            per_weight(8 * found.size, weights),
            f"{found.encode:.3f}",
            f"{found.decode:.3f}",
            row.name,
        )
    return table


def total(raw: int, coded: int, weights: int) -> str:
    """The size of a whole file, in words."""
    return (
        f"{coded:,} bytes, {ratio(raw, coded)} of {raw:,}, {per_weight(8 * coded, weights)} bits "
        "per weight"
    )


def ratio(raw: int, coded: int) -> str:
    """How many times smaller."""
    return f"{raw / coded:.2f}x" if coded else "-"


def per_weight(amount: int, weights: int) -> str:
    """Per weight, where there are any."""
    return f"{amount / weights:.3f}" if weights else "-"


def percent(part: int, whole: int) -> str:
    """A share, of what is not nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def count_zeros(weights: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Zeros of each tensor, negative ones included."""
    return {name: int(w.size - np.count_nonzero(w)) for name, w in weights.items()}


def _codec(entry: Entry) -> str:
    if not entry.size:
        return "-"
    return CODECS[entry.codec].name if entry.codec else "planes"


def _table(first: str, *numbers: str, **last: str) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column(first)
    for title in numbers:
        table.add_column(title, justify="right")
    for title in last:
        table.add_column(title)
    return table
