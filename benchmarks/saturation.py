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

from benchmarks.grid import Grid, markdown, show, verdict
from capacity import training
from capacity.lottery import dense_mask
from capacity.models import Architecture, build
from capacity.training import Examples, Plan, Rates, Rule, Watch

EVERY = {
    100: 20,
    200: 10,
    500: 4,
    917: 3,
}  # steps between two evaluations, the last an epoch: how many
EXAMPLES = 600  # twice the width of the widest layer
BAR = 0.05
LENET = Architecture("mlp", 300.0, 2, 1 / 3, "relu", False, "glorot", (28, 28, 1), 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results/saturation"))
    options = parser.parse_args()
    train, validation = drawn(55_000, 0), drawn(5_000, 1)
    model = build(LENET)
    params = training.initial(model, training.member_keys([0], "initial"))

    def run(every: int, watch: Watch) -> float:
        count = EVERY[every]
        rates = Rates(jnp.float32(1.2e-3), jnp.float32(0), jnp.int32(0), jnp.int32(every * count))
        plan = Plan(rates, jnp.int32(55_000), jnp.int32(every))
        keys, mask = training.member_keys([0], "order"), dense_mask(params)
        began = time.process_time()
        done = training.train(
            model, Rule(batch_size=60), plan, train, validation, params, mask, keys, count,
            chunk=1, watch=watch,
        )  # fmt: skip
        jax.block_until_ready((done.state.params, training.all_reports(watch, done.state.watched)))
        return 1000 * (time.process_time() - began) / (every * count)

    rows = []
    for every in EVERY:
        looks = (Watch(), Watch(EXAMPLES))
        for watch in looks:
            run(every, watch)  # compiles
        turns = [[run(every, watch) for watch in looks] for _ in range(options.repeats)]
        # Turn by turn, so that a slow minute of the machine slows both.
        more = statistics.median(tracked / plain - 1 for plain, tracked in turns)
        plain, tracked = (statistics.median(column) for column in zip(*turns, strict=True))
        rows.append(
            (
                f"every {every} steps",
                f"{plain:.3f}",
                f"{tracked:.3f}",
                f"{more:+.1%}",
                f"<= {BAR:.0%}",
                verdict(more <= BAR),
            )
        )
    header = ("an evaluation", "core ms a step", "tracked", "more", "to reach", "met")
    title = f"LeNet-300-100, batch 60, evaluations of 5,000 examples; {EXAMPLES} are looked at"
    grid = Grid(title, header, rows)
    show(Console(width=120), grid)
    options.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# What tracking saturation costs",
        "",
        "- Command: `python -m benchmarks.saturation`",
        f"- Date: {datetime.date.today().isoformat()}",
        f"- Medians of {options.repeats} turns on one core; every layer, before and behind its "
        "non-linearity",
        "",
        f"## {grid.title}",
        "",
        *markdown(grid),
    ]
    (options.out / "saturation.md").write_text("\n".join(lines) + "\n")


def drawn(count: int, seed: int) -> Examples:
    """Pixels of MNIST's shape; what they show does not matter for time."""
    draw = np.random.default_rng(seed)
    images = draw.integers(0, 256, (count, 28, 28, 1), np.uint8)
    labels = draw.integers(0, 10, count, np.int32)
    scale = jnp.float32(1 / 255)
    return Examples(jnp.asarray(images), jnp.asarray(labels), jnp.float32(0), scale)


if __name__ == "__main__":
    main()
