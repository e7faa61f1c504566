"""What it saves to train networks of unlike widths as parts of one: CPU seconds and programs.

python -m benchmarks.padding [--repeats 3] [--out results/padding]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from capacity.device import environment

os.environ |= environment(1)

import jax
import numpy as np
from rich.console import Console

from benchmarks.grid import Grid, report, show
from capacity import together, training
from capacity.config import Config
from capacity.experiment import load
from capacity.packing import packs
from capacity.padding import resolved

CONFIG = "benchmarks/padding.yaml"
WAYS = {"each width by itself": "null", "padded (training.pad=auto)": "auto"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/padding"))
    parser.add_argument("--way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measured(options.way)))
        return
    runs = [{name: _alone(way) for name, way in WAYS.items()} for _ in range(options.repeats)]
    plain = next(iter(WAYS))
    rows = []
    for name in WAYS:
        own = [run[name] for run in runs]
        ratio = median(run[name]["cpu"] / run[plain]["cpu"] for run in runs)
        warm = median(run[name]["again"] / run[plain]["again"] for run in runs)
        largest = np.max(np.abs(np.subtract(own[0]["losses"], runs[0][plain]["losses"])))
        rows.append(
            (
                name,
                str(own[0]["programs"]),
                f"{median(each['cpu'] for each in own):.1f}",
                f"{ratio:.2f}",
                f"{median(each['again'] for each in own):.1f}",
                f"{warm:.2f}",
                f"{largest:.1e}",
            )
        )
    columns = (
        "eight widths of a perceptron",
        "programs of training",
        "CPU s",
        "ratio",
        "compiled before, CPU s",
        "ratio",
        "largest difference of test losses, bits",
    )
    grid = Grid("Padded networks", columns, rows)
    show(Console(width=160), grid)
    title = "Networks of unlike widths, trained as parts of the widest"
    facts = [
        f"One core; jax {jax.__version__}",
        f"`{CONFIG}`: trained and measured in a process that has nothing compiled, then once more "
        f"in the same process; medians of {options.repeats} turns",
    ]
    report(options.out / "padding.md", title, "padding", facts, grid)


def measured(way: str) -> dict:
    """Of the whole grid in this process: seconds, programs, losses; then once more."""
    given = load(CONFIG, [f"training.pad={way}"]).trials
    began, losses = time.process_time(), []
    trials = resolved(given)
    for _, rows in sorted(_run(trials), key=lambda said: said[0]):
        losses += [row.test_loss for row in rows]
    cpu, began = time.process_time() - began, time.process_time()
    programs = training.compilations()
    list(_run(trials))
    return {
        "cpu": cpu,
        "again": time.process_time() - began,
        "programs": programs,
        "losses": losses,
    }


def _run(trials: Mapping[str, Config]) -> Iterator[tuple[tuple[str, int], list]]:
    """What the trials say, by trial and round."""
    for pack in packs(trials):
        members = {name: trials[name] for name in pack}
        for name, said in together.run(members, lambda name, now: None, lambda name: None):
            if isinstance(said, Exception):
                raise said
            yield (name, said.round), said.rows["networks"]


def _alone(way: str) -> dict:
    """In a process of its own, with an empty cache of compiled programs."""
    with tempfile.TemporaryDirectory() as cache:
        own = os.environ | {"JAX_COMPILATION_CACHE_DIR": cache}
        command = [sys.executable, "-m", "benchmarks.padding", "--way", way]
        done = subprocess.run(command, env=own, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
