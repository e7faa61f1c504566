"""The tables of a benchmark: on the terminal, as Markdown, and every turn as CSV."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.verdicts import Record, matrix_limit, rates, verdicts


class Grid(NamedTuple):
    """A table of words."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


def printed(
    console: Console,
    said: Mapping[str, str],
    records: Sequence[Record],
    chunks: Mapping[str, int],
) -> None:
    """All tables on the terminal."""
    for name, words in said.items():
        console.print(f"{name}: {words}", highlight=False)
    for grid in grids(records, chunks):
        table = Table(title=grid.title, title_justify="left")
        for i, name in enumerate(grid.header):
            table.add_column(name, justify="left" if i == 0 else "right")
        for row in grid.rows:
            table.add_row(*row)
        console.print(table)


def written(
    folder: Path, said: Mapping[str, str], records: Sequence[Record], chunks: Mapping[str, int]
) -> None:
    """`throughput.md`, `verdicts.csv`, `rates.csv`, `chunks.csv`, and every turn in `turns.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = grids(records, chunks)
    lines = ["# Training throughput of one core", ""]
    lines += [f"- {name}: {words}" for name, words in said.items()] + [""]
    for grid in made:
        lines += [f"## {grid.title}", "", *_markdown(grid), ""]
    (folder / "throughput.md").write_text("\n".join(lines).rstrip() + "\n")
    for name, grid in zip(("verdicts", "rates", "chunks"), made, strict=True):
        _csv(folder / f"{name}.csv", grid.header, grid.rows)
    header = ("round", "workload", "contender", "work", "seconds", "core_seconds", "loss_bits")
    _csv(
        folder / "turns.csv", header, ((r.round, r.workload, r.contender, *r.turn) for r in records)
    )


def grids(records: Sequence[Record], chunks: Mapping[str, int]) -> list[Grid]:
    """Targets and whether they are met; the rates behind them; what a chunk size brings."""
    limit, best_limit = matrix_limit(records)
    verdict_grid = Grid(
        "Targets, in network-steps per second of the core",
        (
            "what",
            "target",
            "measured",
            "lowest round",
            "highest round",
            "of best turns",
            "by the clock",
            "met",
        ),
        [tuple(verdict) for verdict in verdicts(records)],
    )
    found = rates(records)
    rate_grid = Grid(
        f"Rates; large matrix products: {limit / 1e9:.0f} GFLOP/s, best {best_limit / 1e9:.0f}",
        ("workload", "contender", "steps/s (median)", "best", "of the matrix limit", "loss, bits"),
        [
            (
                r.workload,
                r.contender,
                f"{r.median:,.0f}",
                f"{r.best:,.0f}",
                f"{r.limit_share:.1%}",
                f"{r.loss:.4f}",
            )
            for r in found
            if not r.contender.startswith("chunk")
        ],
    )
    chunk_grid = Grid(
        "Networks side by side, of a population of 8: steps/s (median); * is what chunk_size picks",
        ("workload", *sorted({r.contender for r in found if r.contender.startswith("chunk")})),
        [_chunk_row(name, chunk, found) for name, chunk in chunks.items()],
    )
    return [verdict_grid, rate_grid, chunk_grid]


def _chunk_row(workload: str, chosen: int, found: Iterable) -> tuple[str, ...]:
    cells = {r.contender: f"{r.median:,.0f}" for r in found if r.workload == workload}
    names = sorted(name for name in cells if name.startswith("chunk"))
    return (workload, *(cells[n] + (" *" if n == f"chunk {chosen}" else "") for n in names))


def _markdown(grid: Grid) -> list[str]:
    rows = [grid.header, ("---", *["---:"] * (len(grid.header) - 1)), *grid.rows]
    return [f"| {' | '.join(row)} |" for row in rows]


def _csv(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
