"""What the effective number of parameters costs beside the training of the same network.

python -m benchmarks.curvature [--out results/curvature]
"""

import argparse
import datetime
import os
import time
from collections.abc import Callable
from pathlib import Path

from capacity.device import environment

os.environ |= environment(1)  # before JAX starts

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console

from benchmarks.grid import Grid, markdown, show
from capacity import training
from capacity.config import Config
from capacity.lottery import dense_mask
from capacity.models import Architecture, build
from capacity.training import Examples, Plan, Rates, Rule

NETWORKS = {  # examples of a product, products a probe; few, as each costs the same
    "784-100-100-10": (("mlp", 100.0, 2), 500, 8),
    "LeNet-5, width 1/4": (("lenet5", 0.25, None), 200, 4),
    "LeNet-5": (("lenet5", 1.0, None), 100, 4),
    "Conv-2, width 1/2": (("conv2", 0.5, None), 60, 4),
}
BATCH, STEPS, TURNS = 60, 10_000, 3
USUAL = Config().curvature


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/curvature"))
    options = parser.parse_args()
    console = Console(width=120)
    train = _drawn(1000)
    rows = []
    for name, ((family, width, depth), examples, steps) in NETWORKS.items():
        taper, shape = 1.0, (28, 28, 1)
        model = build(Architecture(family, width, depth, taper, "relu", False, "glorot", shape, 10))
        params = training.initial(model, training.member_keys([0], "initial"))
        size = sum(leaf[0].size for leaf in params.values())
        taught = _training(model, params, train)
        product = _product(model, params, train, examples, steps)
        whole = USUAL.examples * USUAL.probes * USUAL.steps * product
        share = whole / (BATCH * STEPS * taught)
        times = f"{1e6 * taught:.0f}", f"{1e6 * product:.0f}", f"{product / taught:.2f}"
        rows.append((name, f"{size:,}", *times, f"{whole:.1f}", f"{share:.1%}"))
        console.print(f"{name}: done")
    header = ("network", "weights", "training, us", "curvature, us", "ratio")
    header += "of one network, s", "of its training"
    usual = f"{USUAL.examples:,} examples, {USUAL.probes} probes, {USUAL.steps} products"
    grid = Grid(f"Core time of an example; of {usual}; of {STEPS:,} steps", header, rows)
    show(console, grid)
    options.out.mkdir(parents=True, exist_ok=True)
    lines = ["# What curvature costs", "", "- Command: `python -m benchmarks.curvature`"]
    lines += [f"- Date: {datetime.date.today().isoformat()}"]
    lines += [f"- jax {jax.__version__}, {jax.devices()[0].device_kind}; best of {TURNS} turns"]
    lines += ["- Training: a step's share of one example, in batches of 60; curvature: a product's"]
    text = [*lines, "", f"## {grid.title}", "", *markdown(grid)]
    (options.out / "curvature.md").write_text("\n".join(text) + "\n")


def _training(model, params, train: Examples) -> float:
    """Core seconds of an example of one training step."""
    steps = 20
    rates = Rates(jnp.float32(1e-3), jnp.float32(0), jnp.int32(0), jnp.int32(steps))
    plan = Plan(rates, jnp.int32(len(train.labels)), jnp.int32(steps))
    few = train._replace(inputs=train.inputs[:1], labels=train.labels[:1])
    keys, mask = training.member_keys([0], "order"), dense_mask(params)

    def run():
        return training.train(
            model, Rule(BATCH), plan, train, few, params, mask, keys, 1, chunk=1
        ).state.params

    return _seconds(run) / (steps * BATCH)


def _product(model, params, train: Examples, examples: int, steps: int) -> float:
    """Core seconds of an example of one product with the Gauss-Newton matrix."""

    def run():
        return training.curvature(
            model, params, dense_mask(params), train, jnp.arange(examples),
            training.member_keys([0], "probes"), probes=USUAL.probes, steps=steps, chunk=1,
        )  # fmt: skip

    return _seconds(run) / (examples * steps * USUAL.probes)


def _seconds(run: Callable) -> float:
    jax.block_until_ready(run())  # compiles
    turns = []
    for _ in range(TURNS):
        began = time.process_time()
        jax.block_until_ready(run())
        turns.append(time.process_time() - began)
    return min(turns)


def _drawn(count: int) -> Examples:
    """Pixels of MNIST's shape; what they show does not matter for time."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (count, 28, 28, 1), np.uint8)
    labels = draw.integers(0, 10, count, np.int32)
    return Examples(jnp.asarray(images), jnp.asarray(labels), jnp.float32(0), jnp.float32(1 / 255))


if __name__ == "__main__":
    main()
