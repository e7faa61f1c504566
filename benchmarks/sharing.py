"""How many workers should share a device: the same sweep with one on it, two, four.

TFDS_DATA_DIR=... python -m benchmarks.sharing [--shares 1 0.5 0.25] [--out results/sharing]
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import pandas as pd
from rich.console import Console

from benchmarks.grid import Grid, report, show

CONFIG = "benchmarks/sharing.yaml"
ASKED = ("nvidia-smi", "--query-gpu=memory.used,utilization.gpu", "--format=csv,noheader,nounits")
KEY = ["trial", "seed", "round"]
PERIOD = 0.25


class Turn(NamedTuple):
    """One sweep."""

    share: float
    seconds: float
    device: str
    gibibytes: float
    busy: float
    networks: pd.DataFrame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shares", type=float, nargs="+", default=[1, 0.5, 0.25])
    parser.add_argument("--out", type=Path, default=Path("results/sharing"))
    parser.add_argument("overrides", nargs="*", help="key=value, as of capacity.sweep")
    options = parser.parse_intermixed_args()
    # The first compiles for all, with the most workers.
    shares = [min(options.shares), *options.shares]
    cold, *turns = [measured(share, options.overrides) for share in shares]
    grid = table(turns)
    show(Console(width=120), grid)
    facts = [
        f"{cold.device}; {os.cpu_count()} cores of the host",
        f"`{CONFIG}`: seconds of the whole command, Ray's start among them; one more turn before, "
        f"for what is compiled once, took {cold.seconds:.0f} s",
    ]
    title = "A sweep by several workers on one device"
    report(options.out / "sharing.md", title, "sharing", facts, grid)


def table(turns: list[Turn]) -> Grid:
    """Each beside the first."""
    first = turns[0]
    rows = [
        (
            f"{turn.share:g}",
            f"{1 / turn.share:.0f}",
            f"{turn.seconds:.0f}",
            f"{first.seconds / turn.seconds:.2f}",
            f"{turn.gibibytes:.0f}",
            f"{100 * turn.busy:.0f} %",
            f"{_apart(first.networks, turn.networks):.1e}",
        )
        for turn in turns
    ]
    header = (
        "resources.gpus",
        "workers",
        "s",
        "times as fast",
        "most GiB taken",
        "device busy",
        "test accuracies differ by at most",
    )
    return Grid("One device", header, rows)


def measured(share: float, overrides: Sequence[str]) -> Turn:
    """The sweep by workers of this share."""
    with tempfile.TemporaryDirectory() as results:
        command = [sys.executable, "-m", "capacity.sweep", CONFIG, f"resources.gpus={share}"]
        command += ["--no-report", "--results", results, "name=sharing", *overrides]
        with _watched() as seen:
            began = time.monotonic()
            subprocess.run(command, check=True, stdout=sys.stderr)
            seconds = time.monotonic() - began
        said = json.loads(Path(results, "sharing", "provenance.json").read_text())
        networks = pd.read_csv(Path(results, "sharing", "networks.csv"))
    device = said["runs"][-1]["device"]
    memory, busy = zip(*seen, strict=True) if seen else ((0.0,), (0.0,))
    turn = Turn(share, seconds, device, max(memory) / 1024, fmean(busy) / 100, networks)
    print(f"{share:g}: {seconds:.1f} s on {device}", file=sys.stderr)
    return turn


@contextlib.contextmanager
def _watched() -> Iterator[list[tuple[float, float]]]:
    """MiB taken and per cent busy of the first device, every quarter of a second of the block."""
    seen: list[tuple[float, float]] = []
    if not shutil.which(ASKED[0]):
        yield seen
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(PERIOD):
            said = subprocess.run(ASKED, capture_output=True, text=True, check=True).stdout
            memory, busy = said.splitlines()[0].split(",")
            seen.append((float(memory), float(busy)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _apart(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """The largest difference between the test accuracies of the same network."""
    both = [frame.set_index(KEY)["test_accuracy"].sort_index() for frame in (one, other)]
    return float((both[0] - both[1]).abs().max())


if __name__ == "__main__":
    main()
