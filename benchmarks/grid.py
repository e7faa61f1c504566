"""A table of words: on the terminal, as Markdown and as CSV."""

import csv
import datetime
import sys
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


def report(file: Path, title: str, module: str, facts: Sequence[str], grid: Grid) -> None:
    """The table under its title, the command that made it, the date and other facts."""
    command = " ".join([f"python -m benchmarks.{module}", *sys.argv[1:]])
    known = [f"Command: `{command}`", f"Date: {datetime.date.today().isoformat()}", *facts]
    lines = [f"# {title}", "", *(f"- {fact}" for fact in known), "", *markdown(grid)]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")


def write_csv(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as a file."""
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def verdict(met: bool) -> str:
    """In words."""
    return "yes" if met else "MISSED"
