"""Published networks as the best files within a size, by OBS: `capacity.coded.surgeon`.

TFDS_DATA_DIR=... python -m benchmarks.whole_files --weights FOLDER

The size is fixed beforehand; of the rate weights that a bisection towards it tries, the one is
taken whose file is within the size and diverges least from the network on training images apart.
The test split is looked at once, for the line that is printed.
"""

import argparse
import time
from pathlib import Path

import jax.numpy as jnp
from jaxtyping import Array
from rich.console import Console

from benchmarks.coding_networks import Network, model_of, params_of, published
from benchmarks.coding_peers import WHOLE_FILES
from capacity import coding, data, training
from capacity.coded.calibrating import calibration, calibration_inputs, divergence
from capacity.coded.surgeon import surgeon
from capacity.coding.order import reordered
from capacity.coding.search import coarsest_within
from capacity.models import interchangeable
from capacity.training import Examples, member_keys

IMAGES = {"mlp": 40_000, "lenet5": 20_000}  # calibration; a convolution sees many patches of each
APART = 5_000  # images that choose among the files
SHIFT = 1
DEAREST, CHEAPEST = 3e-6, 3e-8  # rate weights, nats a bit
TRIALS = 4  # of the bisection, besides its two ends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", required=True, type=Path, help="folder of the networks (.npz)")
    parser.add_argument("--only", nargs="+", help="names of networks, all where none is given")
    parser.add_argument("--out", type=Path, default=Path("results/coding/files"))
    options = parser.parse_args()
    console = Console()
    dataset = data.load("mnist", validation_size=1)
    scaling = jnp.asarray(dataset.offset), jnp.asarray(dataset.scale)
    train, test = (
        Examples(jnp.asarray(split.inputs), jnp.asarray(split.labels), *scaling)
        for split in (dataset.train, dataset.test)
    )
    draw = member_keys([0], "calibration")[0]
    inputs = calibration_inputs(train, max(IMAGES.values()) + APART, SHIFT, draw)
    options.out.mkdir(parents=True, exist_ok=True)
    for network in published(options.weights):
        asked = WHOLE_FILES.get(network.name)
        if asked is None or network.name not in (options.only or WHOLE_FILES):
            continue
        content = best_within(asked.bar, network, inputs, console)
        (options.out / f"{network.name}.cap").write_bytes(content)
        decoded = {name: jnp.asarray(t)[None] for name, t in coding.decode(content).items()}
        quality = training.evaluate(model_of(network.weights), decoded, test, chunk=1)
        console.print(
            f"{network.title}: {len(content):,} bytes, "
            f"{100 * float(quality.accuracy[0]):.2f} %, loss {float(quality.loss[0]):.4f} bits"
        )


def best_within(budget: int, network: Network, inputs: Array, console: Console) -> bytes:
    """The file of at most `budget` bytes that diverges least from the network."""
    began = time.perf_counter()
    model, params = model_of(network.weights), params_of(network.weights)
    seen = inputs[APART:][: IMAGES["lenet5" if "lenet5" in network.name else "mlp"]]
    apart = calibration(model, {n: jnp.asarray(p) for n, p in params.items()}, inputs[:APART])
    quantised = surgeon(model, params, seen, member_keys([0], "labels")[0])
    made: list[tuple[float, bytes]] = []

    def size(fineness: float) -> int:
        leaves = quantised(1 / fineness)
        symbols = {name: leaf.symbols for name, leaf in leaves.items()}
        turned = reordered(symbols, interchangeable(model))
        moved = {name: leaf._replace(symbols=turned[name]) for name, leaf in leaves.items()}
        content = coding.encode(moved, effort="max")
        made.append((divergence(model, coding.decode(content), apart), content))
        console.print(
            f"{time.perf_counter() - began:6.0f} s  {network.title}: rate weight "
            f"{1 / fineness:.1e}, {len(content):,} bytes of {budget:,}, "
            f"divergence {made[-1][0]:.4f} nats"
        )
        return len(content)

    coarsest_within(size, float, budget, 1 / DEAREST, 1 / CHEAPEST, trials=TRIALS)
    within = [each for each in made if len(each[1]) <= budget]
    if not within:
        raise SystemExit(f"{network.title}: no rate weight makes a file of {budget:,} bytes")
    return min(within)[1]


if __name__ == "__main__":
    main()
