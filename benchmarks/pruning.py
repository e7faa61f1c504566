"""What pruning costs while LeNet-300-100 trains, what it compiles, and what compaction saves.

python -m benchmarks.pruning [--out results/pruning]
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
from benchmarks.saturation import LENET, drawn
from capacity import criteria, lottery, pruning, training
from capacity.criteria import Batch, Criterion
from capacity.lottery import Lottery, Operations, dense_mask
from capacity.models import Model, Params, build, interchangeable
from capacity.pruning import Mask, kept_count, kept_counts
from capacity.pruning.schedules import gradual
from capacity.training import Examples, Moves, Plan, Rates, Rule, Trained

STEPS, EVERY, UPDATE = 2000, 1000, 100
BAR = 0.10
ROUNDS, SEEDS = 8, 8
UNIT_SHARES = (0.5, 0.25, 0.125)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results/pruning"))
    options = parser.parse_args()
    grids = [moving(options.repeats), compiling(), compacting(options.repeats)]
    for grid in grids:
        show(Console(width=120), grid)
    options.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# What pruning costs, and what compaction saves",
        "",
        "- Command: `python -m benchmarks.pruning`",
        f"- Date: {datetime.date.today().isoformat()}; LeNet-300-100 on one core",
        "",
    ]
    for grid in grids:
        lines += [f"## {grid.title}", "", *markdown(grid), ""]
    (options.out / "cost.md").write_text("\n".join(lines))


def moving(repeats: int) -> Grid:
    """Core time of a step whose mask moves over that of one whose mask is fixed."""
    train, validation = drawn(55_000, 0), drawn(5_000, 1)
    model = build(LENET)
    params = training.initial(model, training.member_keys([0], "initial"))
    dense = dense_mask(params)
    schedule = gradual(0.9, 0, 3 * STEPS // 4, UPDATE)
    tables = {
        name: jnp.asarray(kept_counts(schedule, m[0].size), jnp.int32) for name, m in dense.items()
    }
    tenth = {name: m[0].size // 10 for name, m in dense.items()}
    batch = Batch(train, jnp.arange(10))
    keys = training.member_keys([0], "pruning")
    sparse = criteria.chosen(Criterion("random"), model, params, dense, tenth, keys, batch, chunk=1)

    def run(kind: str) -> float:
        moves = None
        if kind != "fixed":
            of = tables if kind in ("gradual", "movement") else {}
            start, updates = jnp.int32(schedule.start), jnp.int32(schedule.updates)
            moves = Moves(start, jnp.int32(UPDATE), updates, of, jnp.float32(0.3), jnp.int32(1))
        mask = dense if kind in ("gradual", "movement") else sparse
        return _step_ms(model, params, mask, train, validation, kind, moves)

    kinds = ("fixed", "gradual", "set", "rigl", "movement")
    for kind in kinds:
        run(kind)  # compiles
    turns = [[run(kind) for kind in kinds] for _ in range(repeats)]
    rows = []
    for i, kind in enumerate(kinds):
        more = statistics.median(turn[i] / turn[0] - 1 for turn in turns)
        told = (f"{more:+.1%}", f"<= {BAR:.0%}", verdict(more <= BAR)) if i else ("", "", "")
        if kind == "movement":  # adds up its score at every step, which is no part of a schedule
            told = (told[0], "", "")
        rows.append((kind, f"{statistics.median(turn[i] for turn in turns):.3f}", *told))
    header = ("mask", "core ms a step", "more", "to reach", "met")
    return Grid(f"A mask that moves every {UPDATE} steps", header, rows)


def compiling() -> Grid:
    """Programs compiled by the dense round of a lottery, and by all others."""
    train, validation = drawn(1_000, 0), drawn(500, 1)
    model = build(LENET)
    seeds = range(SEEDS)
    batch = Batch(train, jnp.arange(100))
    counts: list[int] = []

    def fit(params, mask, index, control):
        rates = Rates(jnp.float32(1.2e-3), jnp.float32(0), jnp.int32(0), jnp.int32(20))
        plan = Plan(rates, jnp.int32(1_000), jnp.int32(10))
        keys = training.member_keys(seeds, f"order/{control}", index)
        return training.train(
            model, Rule(batch_size=60), plan, train, validation, params, mask, keys, 2, chunk=1
        )

    def chosen(params, mask, index):
        kept = {name: kept_count(int(m[0].sum()), 0.2) for name, m in mask.items()}
        keys = training.member_keys(seeds, "pruning", index)
        return criteria.chosen(Criterion(), model, params, mask, kept, keys, batch, chunk=1)

    def fresh(index):
        return training.initial(model, training.member_keys(seeds, "fresh", index))

    def shuffled(mask, index):
        return criteria.shuffled(mask, training.member_keys(seeds, "random", index))

    settings = Lottery(ROUNDS, 0.2, controls=("reinitialised",))
    do = Operations(fit, chosen, shuffled, fresh)
    began = training.compilations()
    initial = training.initial(model, training.member_keys(seeds, "initial"))
    for _ in lottery.play(settings, initial, do):
        counts.append(training.compilations() - began)
    later = counts[-1] - counts[0]
    rows = [
        ("the dense round", str(counts[0]), "", ""),
        (f"{ROUNDS} rounds and {ROUNDS} controls", str(later), "0", verdict(later == 0)),
    ]
    header = ("rounds", "training programs", "to reach", "met")
    return Grid(f"Compilations of a lottery of {SEEDS} seeds", header, rows)


def compacting(repeats: int) -> Grid:
    """Forward passes of 5,000 examples by the masked network and by the compact one, and steps of
    training with its useless units and without."""
    examples, train = drawn(5_000, 2), drawn(55_000, 0)
    inputs, _ = training.pick(examples, jnp.arange(5_000))
    model = build(LENET)
    params = training.initial(model, training.member_keys([0], "initial"))
    layers, apply = interchangeable(model), jax.jit(lambda p, x: model.apply(p, x)[0])
    rows = []
    for share in UNIT_SHARES:
        kept = {each.outputs[0].tensor: 0 for each in layers}
        kept = {name: round(share * params[name].shape[-1]) for name in kept}
        mask = criteria.chosen(
            Criterion("unit-norm"), model, params, dense_mask(params), kept,
            training.member_keys([0], "pruning"), Batch(examples, jnp.arange(10)), chunk=1,
        )  # fmt: skip
        own = {name: np.asarray(leaf[0]) for name, leaf in params.items()}
        masks = {name: np.asarray(leaf[0]) for name, leaf in mask.items()}
        own = {name: np.where(masks.get(name, True), leaf, 0) for name, leaf in own.items()}
        compact = pruning.compacted(own, masks, layers, jax.nn.relu, padded=False).params
        saved = pruning.savings(own, masks, compact)
        pair = [{n: jnp.asarray(p) for n, p in each.items()} for each in (own, compact)]
        apart = float(jnp.max(jnp.abs(apply(pair[0], inputs) - apply(pair[1], inputs))))
        turns = [[_core_ms(apply, each, inputs) for each in pair] for _ in range(repeats)]
        ratio = statistics.median(whole / small for whole, small in turns)
        ways = (None, training.trained_units(model, mask))
        steps = [
            [_step_ms(model, params, mask, train, examples, units=units) for units in ways]
            for _ in range(repeats + 1)
        ][1:]  # The first compiles.
        step = statistics.median(whole / small for whole, small in steps)
        rows.append(
            (
                f"{share:.1%} of the units",
                f"{saved.compact.parameters:,}",
                f"{saved.compact_speed_up:.1f} x",
                f"{ratio:.1f} x",
                f"{step:.1f} x",
                f"{apart:.0e}",
            )
        )
    header = ("kept", "weights", "speed-up in theory", "forward", "training", "outputs apart")
    return Grid("Compact networks: a forward pass, and a step of training", header, rows)


def _step_ms(
    model: Model,
    params: Params,
    mask: Mask,
    train: Examples,
    validation: Examples,
    kind: str = "fixed",
    moves: Moves | None = None,
    units: Trained | None = None,
) -> float:
    """Core milliseconds of a step of one network."""
    rates = Rates(jnp.float32(1.2e-3), jnp.float32(0), jnp.int32(0), jnp.int32(STEPS))
    plan = Plan(rates, jnp.int32(55_000), jnp.int32(EVERY), moves, units)
    began = time.process_time()
    done = training.train(
        model, Rule(batch_size=60, moving=kind), plan, train, validation, params, mask,
        training.member_keys([0], "order"), STEPS // EVERY, chunk=1,
    )  # fmt: skip
    jax.block_until_ready(done.state.params)
    return 1000 * (time.process_time() - began) / STEPS


def _core_ms(apply, params, inputs) -> float:
    apply(params, inputs).block_until_ready()
    began = time.process_time()
    for _ in range(3):
        apply(params, inputs).block_until_ready()
    return 1000 * (time.process_time() - began) / 3


if __name__ == "__main__":
    main()
