"""Bits of the labels given the inputs, by prequential codes of whole populations of networks.

python -m benchmarks.prequential [--data mnist] [--family mlp ...] [--seeds 4] [--out FOLDER]
"""

import argparse
import datetime
import math
import os
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.grid import show
from capacity.device import environment

os.environ |= environment()  # before JAX starts

import jax
import jax.numpy as jnp

from benchmarks.prequential_tables import Said, account, codes, curve, said, written
from capacity import data, training
from capacity.data import Dataset, Split
from capacity.information import (
    first_epoch_code,
    geometric_cuts,
    mixture_bits,
    over_seeds,
)
from capacity.models import Architecture, Model, build, layer_parameters
from capacity.subject import on_device
from capacity.training import (
    Budget,
    Plan,
    Rates,
    Recipe,
    Rule,
    ask,
    logits,
    member_keys,
    stage_steps,
)


def main() -> None:
    """Trains, codes, prints the tables and writes them."""
    options = _options()
    console = Console()
    dataset = data.load(
        options.data,
        train_size=options.train_size,
        validation_size=0,
        label_noise=options.label_noise,
        label_noise_kind=options.label_noise_kind,
    )
    test = dataset.noisy_test
    labels = dataset.train.labels
    model = build(_architecture(options, dataset))
    cuts = geometric_cuts(len(labels), options.first, options.ratio)
    began, core_began = time.perf_counter(), time.process_time()
    answers, steps = _said(options, dataset, test, model, cuts, console)
    seconds, core_seconds = time.perf_counter() - began, time.process_time() - core_began

    found = codes(answers, labels, test.labels, cuts)
    full = options.epochs * len(labels) / options.batch_size
    words = {
        "Command": " ".join(("python -m benchmarks.prequential", *sys.argv[1:])),
        "Labels": f"{len(labels):,} of {options.data} in {dataset.class_count} classes, "
        f"{len(labels) * math.log2(dataset.class_count):,.0f} bits uniformly; "
        f"{_noise(options, dataset)}",
        "Network": f"{options.family}, {sum(layer_parameters(model).values()):,} weights; Adam "
        f"{options.learning_rate:g}, batches of {options.batch_size}, images moved by up to "
        f"{options.shift} pixels",
        "Code": f"{len(cuts)} blocks, the first of {cuts[0]} labels uniform",
        "Steps of one seed": f"{sum(steps[:-1]):,} for the code, {sum(steps[:-1]) / full:.2f} of a "
        f"full run of {full:,.0f}; {sum(steps):,} with the network on all labels",
        "Time": f"{seconds:.0f} s by the clock, {core_seconds:.0f} s of the core, for "
        f"{options.seeds} seeds, with compilation and the final networks' evaluation",
        "First-epoch online code": _online(options, dataset, model),
        "Mixture of the seeds' tempered codes": "{:,.0f} bits".format(
            mixture_bits([each.code.total for each in found["tempered"]])
        ),
        "Date": datetime.date.today().isoformat(),
        "Device": f"{jax.devices()[0].device_kind}, jax {jax.__version__}",
    }
    for name, word in words.items():
        console.print(f"{name}: {word}", highlight=False)
    grids = [account(found), curve(found, dataset.class_count)]
    for grid in grids:
        show(console, grid)
    written(options.out, words, grids, found)
    console.print(f"Tables: {options.out}")


def _said(
    options: argparse.Namespace,
    dataset: Dataset,
    test: Split,
    model: Model,
    cuts: tuple[int, ...],
    console: Console,
) -> tuple[Said, tuple[int, ...]]:
    """The population's logits, and the steps of its stages."""
    examples = on_device(dataset, dataset.train)
    budget = Budget(options.epochs, options.power, not options.cold, options.held_back)
    seeds = range(options.seeds)
    params = training.initial(model, member_keys(seeds, "initial"))
    shapes = jax.eval_shape(model.init, jax.random.key(0))
    chunk = training.chunk_size(options.seeds, shapes)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        total = sum(stage_steps(cuts, budget, options.batch_size))
        task = bar.add_task("0 labels coded", total=total)
        asked = ask(
            model,
            Recipe(Rule(options.batch_size), options.shift),
            _rates(options),
            budget,
            cuts,
            examples,
            params,
            member_keys(seeds, "order/prequential"),
            chunk=chunk,
            progress=lambda coded, done: bar.update(
                task, completed=done, description=f"{coded:,} labels coded"
            ),
        )
    fit, tests = (
        logits(model, asked.params, split, 0, len(split.labels), chunk=chunk)
        for split in (examples, on_device(dataset, test))
    )
    return Said(asked.logits, fit, tests), asked.steps


def _online(options: argparse.Namespace, dataset: Dataset, model: Model) -> str:
    """Losses before each update in one ordinary epoch, without shifts: what any training gives."""
    examples, seeds = on_device(dataset, dataset.train), range(options.seeds)
    count = len(dataset.train.labels)
    steps = count // options.batch_size
    state = training.train(
        model,
        Rule(options.batch_size),
        Plan(_rates(options), jnp.int32(count), jnp.int32(steps)),
        examples,
        jax.tree.map(lambda leaf: leaf[:1] if leaf.ndim else leaf, examples),
        training.initial(model, member_keys(seeds, "initial")),
        {},
        member_keys(seeds, "order"),
        1,
        chunk=1,
    ).state
    coded = steps * options.batch_size
    bits = first_epoch_code(np.asarray(state.first_epoch), coded, count, dataset.class_count)
    return f"{said(over_seeds(list(bits)))} bits, of {count - coded:,} labels uniformly"


def _rates(options: argparse.Namespace) -> Rates:
    return Rates(jnp.float32(options.learning_rate), jnp.float32(0), jnp.int32(0), jnp.int32(1))


def _noise(options: argparse.Namespace, dataset: Dataset) -> str:
    if not options.label_noise:
        return "no noise added"
    floor = (dataset.conditional_entropy or 0) * len(dataset.train.labels)
    return f"{options.label_noise:g} of them {options.label_noise_kind}, a floor of {floor:,.0f}"


def _architecture(options: argparse.Namespace, dataset: Dataset) -> Architecture:
    return Architecture(
        family=options.family,
        width=options.width or (256.0 if options.family == "mlp" else 1.0),
        depth=options.depth or (2 if options.family == "mlp" else None),
        taper=1.0,
        activation="relu",
        layer_norm=False,
        initialisation="glorot",
        input_shape=tuple(dataset.train.inputs.shape[1:]),
        class_count=dataset.class_count,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--train-size", type=int, help="of the labels; all by default")
    parser.add_argument("--label-noise", type=float, default=0.0)
    parser.add_argument("--label-noise-kind", default="resampled")
    parser.add_argument("--family", default="mlp")
    parser.add_argument("--width", type=float, help="256 for mlp, else the multiplier 1")
    parser.add_argument("--depth", type=int)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--epochs", type=float, default=20, help="of one full run, over all labels")
    parser.add_argument("--power", type=float, default=0.7, help="steps grow with size ^ power")
    parser.add_argument("--first", type=int, default=32, help="labels of the uniform block")
    parser.add_argument("--ratio", type=float, default=2**0.25, help="of a block's end to the last")
    parser.add_argument("--cold", action="store_true", help="new weights for every block")
    parser.add_argument("--held-back", type=float, default=0.0, help="share, for early stopping")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--shift", type=int, default=1, help="pixels, of training images; 0 of all")
    parser.add_argument("--out", type=Path, default=Path("results/prequential"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
