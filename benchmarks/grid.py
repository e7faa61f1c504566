"""A table of words: on the terminal, as Markdown and as CSV."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Grid(NamedTuple):
    """A table of words."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


def show(console: Console, grid: Grid) -> None:
    """The table on the terminal."""
    table = Table(title=grid.title, title_justify="left")
    for i, name in enumerate(grid.header):
        table.add_column(name, justify="left" if i == 0 else "right")
    for row in grid.rows:
        table.add_row(*row)
    console.print(table)


def markdown(grid: Grid) -> list[str]:
    """The lines of the table."""
    rows = [grid.header, ("---", *["---:"] * (len(grid.header) - 1)), *grid.rows]
    return [f"| {' | '.join(row)} |" for row in rows]


def write_csv(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as a file."""
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def verdict(met: bool) -> str:
    """In words."""
    return "yes" if met else "MISSED"
