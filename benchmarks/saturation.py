"""What it costs to track the saturation of every layer while LeNet-300-100 trains.

python -m benchmarks.saturation [--out results/saturation]
"""

import argparse
import datetime
import os
import statistics
import time
from pathlib import Path

from capacity.device import environment

os.environ |= environment(1)  # before JAX starts

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console

from benchmarks.grid import Grid, markdown, show
from capacity import training
from capacity.lottery import dense_mask
from capacity.models import Architecture, build
from capacity.training import Examples, Plan, Rates, Rule, Watch

EVERY = 200
EVALUATIONS = 10
LOOKS = (0, 600, 1000)
BAR = 0.05
LENET = Architecture("mlp", 300.0, 2, 1 / 3, "relu", False, "glorot", (28, 28, 1), 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results/saturation"))
    options = parser.parse_args()
    train, validation = _drawn(55_000, 0), _drawn(5_000, 1)
    model = build(LENET)
    params = training.initial(model, training.member_keys([0], "initial"))
    steps = EVERY * EVALUATIONS
    rates = Rates(jnp.float32(1.2e-3), jnp.float32(0), jnp.int32(0), jnp.int32(steps))
    plan = Plan(rates, jnp.int32(55_000), jnp.int32(EVERY))

    def run(watch: Watch) -> float:
        began = time.process_time()
        keys = training.member_keys([0], "order")
        mask = dense_mask(params)
        rule = Rule(batch_size=60)
        done = training.train(
            model, rule, plan, train, validation, params, mask, keys, EVALUATIONS, chunk=1,
            watch=watch,
        )  # fmt: skip
        jax.block_until_ready(done.state.params)
        return time.process_time() - began

    watches = {examples: Watch(examples) for examples in LOOKS}
    for watch in watches.values():
        run(watch)  # compiles
    turns: dict[int, list[float]] = {examples: [] for examples in LOOKS}
    for _ in range(options.repeats):
        for examples, watch in watches.items():
            turns[examples].append(run(watch))
    rows = []
    for examples, taken in turns.items():
        # Turn by turn, so that a slow minute of the machine slows both.
        more = statistics.median(a / b - 1 for a, b in zip(taken, turns[0], strict=True))
        rows.append(
            (
                f"{examples:,} examples" if examples else "not tracked",
                f"{1000 * statistics.median(taken) / steps:.3f}",
                f"{more:+.1%}" if examples else "",
                f"<= {BAR:.0%}" if examples else "",
                ("yes" if more <= BAR else "MISSED") if examples else "",
            )
        )
    header = ("each evaluation looks at", "core ms a step", "more", "to reach", "met")
    title = f"LeNet-300-100, batch 60, an evaluation of 5,000 examples every {EVERY} steps"
    grid = Grid(title, header, rows)
    show(Console(width=120), grid)
    options.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# What tracking saturation costs",
        "",
        "- Command: `python -m benchmarks.saturation`",
        f"- Date: {datetime.date.today().isoformat()}",
        f"- Medians of {options.repeats} turns of {steps:,} steps on one core, in seconds of the "
        "core; every layer, before and behind its non-linearity",
        "",
        f"## {grid.title}",
        "",
        *markdown(grid),
    ]
    (options.out / "saturation.md").write_text("\n".join(lines) + "\n")


def _drawn(count: int, seed: int) -> Examples:
    """Pixels of MNIST's shape; what they show does not matter for time."""
    draw = np.random.default_rng(seed)
    images = draw.integers(0, 256, (count, 28, 28, 1), np.uint8)
    labels = draw.integers(0, 10, count, np.int32)
    scale = jnp.float32(1 / 255)
    return Examples(jnp.asarray(images), jnp.asarray(labels), jnp.float32(0), scale)


if __name__ == "__main__":
    main()
