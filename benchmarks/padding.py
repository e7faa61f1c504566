"""What it saves to train networks of unlike widths as parts of one: seconds and programs.

python -m benchmarks.padding [--repeats 3] [--gpus 0] [--out results/padding]

On a core, CPU seconds; on a GPU, seconds by the clock.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from benchmarks.grid import Grid, report, show
from capacity.device import environment

if TYPE_CHECKING:
    from capacity.config import Config

CONFIG = "benchmarks/padding.yaml"
WAYS = {"each width by itself": "null", "padded (training.pad=auto)": "auto"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--gpus", type=float, default=0)
    parser.add_argument("--out", type=Path, default=Path("results/padding"))
    parser.add_argument("--way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.update(environment(1, options.gpus))
    if options.way:
        clock = time.perf_counter if options.gpus else time.process_time
        print(json.dumps(measured(options.way, clock)))
        return
    runs = [
        {name: _alone(way, options.gpus) for name, way in WAYS.items()}
        for _ in range(options.repeats)
    ]
    plain = next(iter(WAYS))
    rows = []
    for name in WAYS:
        own = [run[name] for run in runs]
        ratio = median(run[name]["first"] / run[plain]["first"] for run in runs)
        warm = median(run[name]["again"] / run[plain]["again"] for run in runs)
        largest = np.max(np.abs(np.subtract(own[0]["losses"], runs[0][plain]["losses"])))
        rows.append(
            (
                name,
                str(own[0]["programs"]),
                f"{median(each['first'] for each in own):.1f}",
                f"{ratio:.2f}",
                f"{median(each['again'] for each in own):.1f}",
                f"{warm:.2f}",
                f"{largest:.1e}",
            )
        )
    unit = "clock s" if options.gpus else "CPU s"
    columns = (
        "eight widths of a perceptron",
        "programs of training",
        unit,
        "ratio",
        f"compiled before, {unit}",
        "ratio",
        "largest difference of test losses, bits",
    )
    grid = Grid("Padded networks", columns, rows)
    show(Console(width=160), grid)
    title = "Networks of unlike widths, trained as parts of the widest"
    facts = [
        f"{runs[0][plain]['device']}, one core of the host; jax {version('jax')}",
        f"`{CONFIG}`: trained and measured in a process that has nothing compiled, then once more "
        f"in the same process; medians of {options.repeats} turns",
    ]
    file = options.out / ("gpu.md" if options.gpus else "padding.md")
    report(file, title, "padding", facts, grid)


def measured(way: str, clock: Callable[[], float]) -> dict:
    """Of the whole grid in this process: seconds, programs, losses; then seconds once more."""
    import jax  # noqa: PLC0415 - the environment comes first

    from capacity import training  # noqa: PLC0415
    from capacity.experiment import load  # noqa: PLC0415
    from capacity.padding import resolved  # noqa: PLC0415

    given = load(CONFIG, [f"training.pad={way}"]).trials
    began, losses = clock(), []
    trials = resolved(given)
    for _, rows in sorted(_run(trials), key=lambda said: said[0]):
        losses += [row.test_loss for row in rows]
    first, began = clock() - began, clock()
    programs = training.compilations()
    list(_run(trials))
    return {
        "first": first,
        "again": clock() - began,
        "programs": programs,
        "losses": losses,
        "device": jax.devices()[0].device_kind,
    }


def _run(trials: "Mapping[str, Config]") -> Iterator[tuple[tuple[str, int], list]]:
    """What the trials say, by trial and round."""
    from capacity import together  # noqa: PLC0415
    from capacity.packing import packs  # noqa: PLC0415

    for pack in packs(trials):
        members = {name: trials[name] for name in pack}
        for name, said in together.run(members, lambda name, now: None, lambda name: None):
            if isinstance(said, Exception):
                raise said
            yield (name, said.round), said.rows["networks"]


def _alone(way: str, gpus: float) -> dict:
    """In a process of its own, with an empty cache of compiled programs."""
    with tempfile.TemporaryDirectory() as cache:
        own = os.environ | {"JAX_COMPILATION_CACHE_DIR": cache}
        command = [sys.executable, "-m", "benchmarks.padding", "--way", way, "--gpus", str(gpus)]
        done = subprocess.run(command, env=own, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
