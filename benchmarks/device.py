"""What a training step of a population takes on this device: rows of a table of devices.

[TFDS_DATA_DIR=...] python -m benchmarks.device [--gpus 1] [--torch PYTHON] [--out results/device]
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from benchmarks.grid import Grid, markdown, show
from capacity.device import environment

TURNS = 3

PEER = """
import statistics, sys, time, torch
from torch import nn
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(1)
x = torch.rand(55_000, 784, device=device)
y = torch.randint(0, 10, (55_000,), device=device)
def measured(graphed):
    model = nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(),
                          nn.Linear(100, 10)).to(device)
    options = {"capturable": True} if graphed else {}
    optimizer = torch.optim.Adam(model.parameters(), lr=1.2e-3, fused=True, **options)
    index = torch.zeros(60, dtype=torch.long, device=device)
    def step():
        optimizer.zero_grad(set_to_none=not graphed)
        nn.functional.cross_entropy(model(x[index]), y[index]).backward()
        optimizer.step()
    again = step
    if graphed:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(5):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        again = graph.replay
    def turn(steps):
        order = torch.randint(0, len(y), (steps, 60), device=device)
        if device == "cuda":
            torch.cuda.synchronize()
        began = time.perf_counter()
        for row in order:
            index.copy_(row)
            again()
        if device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - began) / steps
    turn(200)
    return 1e6 * statistics.median(turn(2000) for _ in range(3))
name = torch.cuda.get_device_name() if device == "cuda" else device
for graphed in [False, True][: 1 + (device == "cuda")]:
    kind = "CUDA graph" if graphed else "eager"
    print(f"torch {torch.__version__} {kind}\\t{name}\\t{measured(graphed):.1f}")
"""


class Step(NamedTuple):
    """Of one population on one device, medians of the turns."""

    device: str
    network: str
    members: int
    side_by_side: int
    microseconds: float
    network_steps: float
    first_call: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", type=float, default=0, help="0 measures the CPU")
    parser.add_argument("--torch", help="a Python with PyTorch, as a peer")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    parser.add_argument("--out", type=Path, default=Path("results/device"))
    options = parser.parse_args()
    os.environ.update(environment(1, options.gpus))
    found = [_measured(*case, options.seconds) for case in CASES]
    if options.torch:
        found += _peer(options.torch)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "steps.csv"
    kept = list(csv.reader(file.open()))[1:] if file.exists() else []
    kept = [row for row in kept if row[0] != found[0].device]
    rows = [*kept, *(["" if v is None else str(v) for v in step] for step in found)]
    with file.open("w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([Step._fields, *rows])
    grid = table(rows)
    show(Console(width=130), grid)
    lines = ["# A training step of a population", "", "- Command: `python -m benchmarks.device`"]
    lines += ["- One network per step: Adam, batches of 60 (digits: 32), masks applied", ""]
    (options.out / "steps.md").write_text("\n".join([*lines, *markdown(grid)]) + "\n")


def table(rows: list[list[str]]) -> Grid:
    """The rows of the file as words."""
    header = (
        "device",
        "network",
        "networks",
        "side by side",
        "µs a step",
        "network steps/s",
        "first call, s",
    )
    words = [
        (r[0], r[1], r[2], r[3], f"{float(r[4]):,.1f}", f"{float(r[5]):,.0f}", r[6]) for r in rows
    ]
    return Grid("A training step of a population", header, words)


# Name of the network, members, and how many side by side; None for what a sweep takes.
CASES: list[tuple[str, int, int | None]] = [
    ("LeNet-300-100", 1, None),
    ("LeNet-300-100", 5, None),
    ("LeNet-300-100", 5, 1),
    ("LeNet-300-100", 64, None),
    ("64-64-64-10", 8, None),
    ("64-64-64-10", 512, None),
    ("Conv-2", 3, None),
    ("Conv-2", 3, 1),
]


def _measured(name: str, members: int, side_by_side: int | None, seconds: float) -> Step:
    import jax  # noqa: PLC0415 - the environment comes first
    import jax.numpy as jnp  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    from capacity import training  # noqa: PLC0415
    from capacity.lottery import dense_mask  # noqa: PLC0415
    from capacity.models import Architecture, build  # noqa: PLC0415

    family, width, depth, taper, shape, batch = {
        "LeNet-300-100": ("mlp", 300.0, 2, 1 / 3, (28, 28, 1), 60),
        "64-64-64-10": ("mlp", 64.0, 2, 1.0, (8, 8, 1), 32),
        "Conv-2": ("conv2", 1.0, None, 1.0, (28, 28, 1), 60),
    }[name]
    model = build(
        Architecture(
            family=family,
            width=width,
            depth=depth,
            taper=taper,
            widths=None,
            activation="relu",
            layer_norm=False,
            initialisation="glorot",
            input_shape=shape,
            class_count=10,
        )
    )
    random = np.random.default_rng(0)

    def drawn(count: int) -> training.Examples:
        inputs = random.integers(0, 256, (count, *shape), dtype=np.uint8)
        labels = random.integers(0, 10, count).astype(np.int32)
        return training.Examples(
            jnp.asarray(inputs), jnp.asarray(labels), jnp.float32(0), jnp.float32(1 / 255)
        )

    train, held = drawn(10_000), drawn(batch)
    params = training.initial(model, training.member_keys(range(members), "initial"))
    order = training.member_keys(range(members), "order")
    mask, one = dense_mask(params), jax.eval_shape(model.init, jax.random.key(0))
    chunk = side_by_side or training.chunk_size(members, one)

    def run(steps: int) -> float:
        rates = training.Rates(jnp.float32(1e-3), jnp.float32(0), jnp.int32(0), jnp.int32(steps))
        plan = training.Plan(rates, jnp.int32(10_000), jnp.int32(steps))
        rule = training.Rule(batch_size=batch)
        began = time.perf_counter()
        jax.block_until_ready(
            training.train(model, rule, plan, train, held, params, mask, order, 1, chunk=chunk)
        )
        return time.perf_counter() - began

    first = run(10)
    steps = int(min(20_000, max(20, seconds * 50 / run(50))))
    each = statistics.median(run(steps) / steps for _ in range(TURNS))
    step = Step(
        jax.devices()[0].device_kind, name, members, chunk, 1e6 * each, members / each, first
    )
    print(*step, flush=True)
    return step._replace(
        microseconds=round(1e6 * each, 1),
        network_steps=round(members / each),
        first_call=round(first, 1),
    )


def _peer(python: str) -> list[Step]:
    said = subprocess.run([python, "-c", PEER], check=True, capture_output=True, text=True).stdout
    found = []
    for line in said.splitlines():
        kind, device, microseconds = line.split("\t")
        each = float(microseconds)
        found.append(Step(device, f"LeNet-300-100, {kind}", 1, 1, each, round(1e6 / each), None))
    return found


if __name__ == "__main__":
    sys.exit(main())
