"""How few bytes a LeNet on MNIST fits in when it is trained for bits: the rate-accuracy curve."""

import argparse
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.coding_networks import params_of
from capacity import coding, data, training
from capacity.coding import Quantised
from capacity.data import Dataset
from capacity.lottery import dense_mask
from capacity.models import Architecture, Model, Params, build
from capacity.subject import on_device
from capacity.training import Examples, Finetuned, FinetunePlan, Plan, Rates, Rule, member_keys

BATCH = 128
HEADER = ("seed", "rate weight", "file, bytes", "modelled", "validation", "test", "test loss, bits")


def main() -> None:
    """Fine-tunes every seed at every rate weight; prints and writes the table and the integers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=("lenet-300-100", "lenet5"), default="lenet-300-100")
    parser.add_argument("--data", default="mnist")
    parser.add_argument(
        "--start", type=Path, help="trained weights (.npz), ours or PyTorch's, for every seed"
    )
    parser.add_argument("--rate-weights", type=float, nargs="+", default=[5e-6, 1e-5, 1.5e-5, 2e-5])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--shift", type=int, default=1, help="pixels that images are moved by")
    parser.add_argument(
        "--goal",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "PERCENT"),
        help="keep the smallest file of at least so much validation accuracy as NAME.cap",
    )
    parser.add_argument("--out", type=Path, default=Path("results/finetune"))
    options = parser.parse_args()
    console = Console()

    dataset = data.load(options.data, validation_size=5000)
    train, validation, test = (
        on_device(dataset, split) for split in (dataset.train, dataset.validation, dataset.test)
    )
    model = _network(options.network, dataset)
    seeds = [seed for seed in options.seeds for _ in options.rate_weights]
    weights = jnp.asarray(options.rate_weights * len(options.seeds), jnp.float32)
    params = _start(model, options.start, options.seeds, train, validation)
    params = {n: jnp.repeat(p, len(options.rate_weights), axis=0) for n, p in params.items()}

    updates = train.labels.shape[0] // BATCH
    plan = FinetunePlan(evaluations=options.epochs, updates=updates)
    began = time.perf_counter()
    found = training.finetune(
        model,
        plan,
        train,
        validation,
        params,
        dense_mask(params),
        weights,
        member_keys(seeds, "finetune"),
        batch_size=BATCH,
        shift=options.shift,
        progress=lambda done, state: console.print(
            f"{time.perf_counter() - began:6.0f} s, epoch {done}:",
            *(
                f"{100 * float(a):.2f} % {float(r) / 8:.0f} B"
                for a, r in zip(
                    state.curve.validation_accuracy[:, done - 1],
                    state.curve.rate[:, done - 1],
                    strict=True,
                )
            ),
        ),
    )
    quality = training.evaluate(model, found.params, test, chunk=1)

    files = [_file(found, i) for i in range(len(seeds))]
    table = Table(*HEADER, title=f"{options.network}, {options.epochs} epochs")
    lines = [f"| {' | '.join(HEADER)} |", "| ---: " * len(HEADER) + "|"]
    options.out.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(seeds):
        row = (
            str(seed),
            f"{float(weights[i]):g}",
            f"{len(files[i]):,}",
            f"{float(found.curve.rate[i, -1]) / 8:,.0f}",
            f"{100 * float(found.curve.validation_accuracy[i, -1]):.2f} %",
            f"{100 * float(quality.accuracy[i]):.2f} %",
            f"{float(quality.loss[i]):.4f}",
        )
        table.add_row(*row)
        lines.append(f"| {' | '.join(row)} |")
        (options.out / f"{options.network}-s{seed}-{float(weights[i]):g}.cap").write_bytes(files[i])
    console.print(table)
    for name, percent in options.goal:
        known = 100 * np.asarray(found.curve.validation_accuracy[:, -1], np.float64)
        good = [
            file for file, accuracy in zip(files, known, strict=True) if accuracy >= float(percent)
        ]
        if good:
            (options.out / f"{name}.cap").write_bytes(min(good, key=len))
        else:
            console.print(f"{name}: no network has {percent} % of the validation split right")
    (options.out / f"{options.network}.md").write_text("\n".join(lines) + "\n")


def _network(name: str, dataset: Dataset) -> Model:
    family, width, depth = ("lenet5", 1.0, None) if name == "lenet5" else ("mlp", 300.0, 2)
    return build(
        Architecture(
            family=family,
            width=width,
            depth=depth,
            taper=1 / 3,
            activation="relu",
            layer_norm=False,
            initialisation="glorot",
            input_shape=dataset.train.inputs.shape[1:],
            class_count=dataset.class_count,
        )
    )


def _start(
    model: Model, path: Path | None, seeds: list[int], train: Examples, validation: Examples
) -> Params:
    """The weights in `path` for all seeds, or a network trained for twelve epochs for each."""
    if path is not None:
        with np.load(path) as stored:
            weights = {name: stored[name] for name in stored.files if not name.startswith("__")}
        if any(name.endswith(".weight") for name in weights):
            weights = params_of(weights)
        return {n: jnp.stack([jnp.asarray(w)] * len(seeds)) for n, w in weights.items()}
    params = training.initial(model, member_keys(seeds, "initial"))
    steps = train.labels.shape[0] // BATCH
    rates = Rates(jnp.float32(1.2e-3), jnp.float32(0), jnp.int32(0), jnp.int32(12 * steps))
    plan = Plan(rates, jnp.int32(train.labels.shape[0]), jnp.int32(steps))
    rule = Rule(batch_size=BATCH, schedule="cosine")
    keys = member_keys(seeds, "order")
    mask = dense_mask(params)
    return training.train(
        model, rule, plan, train, validation, params, mask, keys, 12, chunk=1
    ).state.best


def _file(found: Finetuned, member: int) -> bytes:
    leaves = {
        name: Quantised(np.asarray(symbols[member]), float(found.steps[name][member]))
        for name, symbols in found.symbols.items()
    }
    return coding.encode(leaves, effort="max")


if __name__ == "__main__":
    main()
