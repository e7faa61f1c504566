"""The tables of a benchmark: on the terminal, as Markdown, and every turn as CSV."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.grid import Grid, markdown, show, write_csv
from benchmarks.verdicts import Record, matrix_limit, rates, verdicts


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
        show(console, grid)


def written(
    folder: Path, said: Mapping[str, str], records: Sequence[Record], chunks: Mapping[str, int]
) -> None:
    """`throughput.md`, `verdicts.csv`, `rates.csv`, `chunks.csv`, and every turn in `turns.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = grids(records, chunks)
    lines = ["# Training throughput of one core", ""]
    lines += [f"- {name}: {words}" for name, words in said.items()] + [""]
    for grid in made:
        lines += [f"## {grid.title}", "", *markdown(grid), ""]
    (folder / "throughput.md").write_text("\n".join(lines).rstrip() + "\n")
    for name, grid in zip(("verdicts", "rates", "chunks"), made, strict=True):
        write_csv(folder / f"{name}.csv", grid.header, grid.rows)
    header = ("round", "workload", "contender", "work", "seconds", "core_seconds", "loss_bits")
    write_csv(
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
