"""Large sweeps: planned, run with trials that measure nothing, stored, and read again.

python -m benchmarks.scale [--planned 100000] [--run 10000] [--rows 1000000] [--out results/scale]
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from capacity.device import environment

# Before JAX and Ray start; Ray listens on loopback only.
os.environ |= {**environment(1), "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}

import psutil
from rich.console import Console

from benchmarks.grid import Grid, report, show, verdict
from capacity import store, sweep
from capacity.board import Board
from capacity.checking import check, unlike
from capacity.cluster import connected, driver
from capacity.cluster.shifts import shifts
from capacity.cluster.worker import PopulationTrial
from capacity.config import idle
from capacity.desk import Desk
from capacity.experiment import Experiment, load
from capacity.rows import CodecRow, NetworkRow, Row
from capacity.rows.columns import columns
from capacity.store import Store
from capacity.store.reading import file_name
from capacity.trial import Outcome

CONFIG = "benchmarks/overhead.yaml"
PLANNING, READING, GROWTH = 10.0, 30.0, 1024
"""Seconds, seconds, and bytes that a finished trial may leave in the driver's memory."""
WORKERS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planned", type=int, default=100_000)
    parser.add_argument("--run", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=Path("results/scale"))
    options = parser.parse_args()
    rows = [planning(options.planned), *running(options.run), reading(options.rows)]
    grid = Grid("Large sweeps", ("what", "measured", "bar", "met"), rows)
    show(Console(width=140), grid)
    facts = [f"{os.cpu_count()} cores"]
    report(options.out / "scale.md", "Large sweeps", "scale", facts, grid)


def grid_of(count: int, *overrides: str) -> Experiment:
    """4 widths x 2 levels of noise x learning rates."""
    rates = ",".join(f"{1e-4 * (i + 1):.6f}" for i in range(count // 8))
    widths, noise = "model.width=[32,48,64,96]", "data.label_noise=[0.0,0.1]"
    axes = [widths, f"training.learning_rate=[{rates}]", noise]
    return load(CONFIG, [*axes, *overrides])


def planning(count: int) -> tuple[str, ...]:
    """From the file to what workers are given, every trial checked."""
    grid_of(80)  # What is loaded once is not counted.
    check(grid_of(80), local=True)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        experiment = grid_of(count)
        told = [sentence for config in unlike(experiment).values() for sentence in idle(config)]
        check(experiment, local=True)
        kept = Store.open(Path(folder) / "x", sweep._identity(experiment), resume=False)
        with contextlib.redirect_stdout(None):
            desk = sweep._desk(experiment, kept)
        planned = shifts(desk.trials, WORKERS)
        seconds = time.perf_counter() - began
    assert not told
    what = f"{len(experiment.trials):,} trials planned for {WORKERS} workers, {len(planned)} packs"
    return what, f"{seconds:.1f} s", f"{PLANNING:g} s", verdict(seconds <= PLANNING)


class Idle:
    """Trials that say at once what others measure for minutes; in place of `Background`."""

    def __init__(self, trials: Mapping[str, Any], continuations: Mapping[str, bytes | None]):
        self.left = dict.fromkeys(trials)
        self._names: Iterator[str] = iter(trials)

    @property
    def done(self) -> bool:
        """Whether all have spoken."""
        return not self.left

    def next(self, seconds: float) -> tuple[str, Outcome]:
        """Four networks of the next trial."""
        name = next(self._names)
        del self.left[name]
        rows: dict[str, list[Any]] = {
            "networks": [_made_up(NetworkRow, trial=name, seed=seed) for seed in range(4)],
            "codecs": [_made_up(CodecRow, trial=name, seed=seed) for seed in range(4)],
        }
        return name, Outcome(0, 0, "ticket", rows, {"s0-r0.cap": bytes(1000)}, "none")

    def stop(self) -> None:
        """Nothing runs."""


class IdleTrial(PopulationTrial):
    """A worker of them."""

    background = Idle


def _made_up(row: type[Row], **known: Any) -> Any:
    values = {int: 1, float: 0.5, bool: False, str: "x"}
    fields = {name: values[column.type] for name, column in columns(row).items()}
    return row(**{**fields, "control": "ticket", "round": 0, **known})


def running(count: int) -> list[tuple[str, ...]]:
    """All on Ray, one pack each, and stored; how the driver's memory grows meanwhile."""
    experiment = grid_of(count, "resources.pack=1", "tracking.tools=[]")
    sizes: list[tuple[int, int]] = []  # trials finished, bytes held
    process, finished = psutil.Process(), [0]

    class Counting(Desk):
        def outcome(self, trial: str, outcome: Outcome) -> None:
            super().outcome(trial, outcome)
            finished[0] += 1
            if finished[0] % 250 == 0:
                sizes.append((finished[0], process.memory_info().rss))

    driver.PopulationTrial = IdleTrial  # pyright: ignore[reportPrivateImportUsage]
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as quiet:
        kept = Store.open(Path(folder) / "x", sweep._identity(experiment), resume=False)
        console = Console(file=quiet)
        desk = Counting(kept, Board(count, 0, count, console), experiment.trials)
        began = time.perf_counter()
        with connected(None, experiment.base.resources, {}) as dashboard:
            driver.run(
                experiment.trials,
                dashboard,
                Path(folder) / "ray",
                "scale",
                progress=desk.progress,
                outcome=desk.outcome,
                failed=desk.failed,
                continuation=desk.continuation,
            )
        ran = time.perf_counter() - began
        before, began = process.memory_info().rss, time.perf_counter()
        peak = _peak_while(kept.write_tables)
        wrote = time.perf_counter() - began
        stored = len(kept.finished())
        kept.finish()
    # The first half fills buffers of Ray's that have a limit.
    half = [pair for pair in sizes if pair[0] >= count // 2]
    growth = statistics.linear_regression(*zip(*half, strict=True)).slope
    return [
        (f"{count:,} idle trials on Ray, each stored", f"{ran:.0f} s", "", ""),
        ("stored", f"{stored:,}", f"{count:,}", verdict(stored == count)),
        (
            "the driver's memory grows by, a finished trial",
            f"{growth:,.0f} bytes",
            f"{GROWTH:,} bytes",
            verdict(growth <= GROWTH),
        ),
        ("their tables written", f"{wrote:.0f} s, {(peak - before) / 1e6:.0f} MB", "", ""),
    ]


def _peak_while(work: Any) -> int:
    """The most bytes this process holds meanwhile."""
    over, process = threading.Event(), psutil.Process()
    seen = [process.memory_info().rss]

    def look() -> None:
        while not over.wait(0.05):
            seen.append(process.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    work()
    over.set()
    watcher.join()
    return max(seen)


def reading(count: int) -> tuple[str, ...]:
    """A table of networks with every column, as the report reads it."""
    source = Path("results/digits")
    head, *lines = (source / "networks.csv").read_text().splitlines(keepends=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("provenance.json", "trials.csv"):
            (folder / file).write_bytes((source / file).read_bytes())
        for kind in store.read(source).provenance["tables"]:
            file = file_name(kind)
            (folder / file).write_bytes((source / file).read_bytes())
        with (folder / "networks.csv").open("w") as out:
            out.write(head)
            for start in range(0, count, len(lines)):
                out.writelines(lines[: count - start])
        began = time.perf_counter()
        rows = len(store.read(folder).networks)
        seconds = time.perf_counter() - began
    what = f"networks.csv of {rows:,} rows read"
    return what, f"{seconds:.1f} s", f"{READING:g} s", verdict(seconds <= READING)


if __name__ == "__main__":
    main()
