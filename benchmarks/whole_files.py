"""Published networks as the best files within a size, by OBS: `capacity.coded.surgeon`.

TFDS_DATA_DIR=... python -m benchmarks.whole_files --weights FOLDER

The size is fixed beforehand and nothing else is chosen: the rate weight is the smallest whose file
is within it, and the test split is looked at once, by the table. 20,000 training images calibrate,
half of them moved by up to one pixel.
"""

import argparse
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from rich.console import Console

from benchmarks.coding_networks import Network, published
from benchmarks.coding_peers import WHOLE_FILES
from capacity import coding, data, training
from capacity.coded.calibrating import calibration_inputs
from capacity.coded.surgeon import surgeon
from capacity.coding.order import reordered
from capacity.coding.search import coarsest_within
from capacity.models import Architecture, Model, affine_layers, build, interchangeable
from capacity.training import Examples, member_keys

IMAGES = 20_000
SHIFT = 1
DEAREST, CHEAPEST = 3e-6, 1e-8  # rate weights, nats a bit
TRIALS = 5  # of the bisection, besides its two ends


def model_of(network: Network) -> Model:
    """The Flax network of a published one."""
    convolutional = any(tensor.ndim == 4 for tensor in network.weights.values())
    family, width, depth = ("lenet5", 1.0, None) if convolutional else ("mlp", 300.0, 2)
    shape = (28, 28, 1)
    return build(Architecture(family, width, depth, 1 / 3, "relu", False, "glorot", shape, 10))


def params_of(network: Network) -> dict[str, np.ndarray]:
    """Its weights in the layout of Flax: kernels [in, out] and HWIO, images channel last."""
    kernels = [name for name in network.weights if name.endswith("weight")]
    found, channels = {}, 1
    for name, layer in zip(kernels, affine_layers(model_of(network)), strict=True):
        kernel = network.weights[name]
        if kernel.ndim == 4:
            turned, channels = kernel.transpose(2, 3, 1, 0), kernel.shape[0]
        else:
            side = round((kernel.shape[1] / channels) ** 0.5) if channels > 1 else 0
            images = kernel.reshape(-1, channels, side, side) if side else kernel.T
            turned = images.transpose(2, 3, 1, 0).reshape(kernel.shape[::-1]) if side else images
            channels = 1
        found[layer.kernel] = np.ascontiguousarray(turned)
        found[str(layer.bias)] = network.weights[name.replace("weight", "bias")]
    return found


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
    draw, labels = (member_keys([0], name)[0] for name in ("calibration", "labels"))
    inputs = calibration_inputs(train, IMAGES, SHIFT, draw)
    options.out.mkdir(parents=True, exist_ok=True)
    budgets = {name: asked.bar for name, asked in WHOLE_FILES.items()}
    for network in published(options.weights):
        if network.name not in budgets or network.name not in (options.only or budgets):
            continue
        began, budget = time.perf_counter(), budgets[network.name]
        model, params = model_of(network), params_of(network)
        quantised = surgeon(model, params, inputs, labels)

        def file(fineness: float) -> bytes:
            leaves = quantised(1 / fineness)
            symbols = {name: leaf.symbols for name, leaf in leaves.items()}
            turned = reordered(symbols, interchangeable(model))
            moved = {name: leaf._replace(symbols=turned[name]) for name, leaf in leaves.items()}
            content = coding.encode(moved, effort="max")
            console.print(
                f"{time.perf_counter() - began:6.0f} s  {network.title}: rate weight "
                f"{1 / fineness:.1e}, {len(content):,} bytes of {budget:,}"
            )
            return content

        found = coarsest_within(file, len, budget, 1 / DEAREST, 1 / CHEAPEST, trials=TRIALS)
        if found is None:
            raise SystemExit(f"{network.title}: no rate weight makes a file of {budget:,} bytes")
        content = found[1]
        (options.out / f"{network.name}.cap").write_bytes(content)
        decoded = {name: jnp.asarray(t)[None] for name, t in coding.decode(content).items()}
        quality = training.evaluate(model, decoded, test, chunk=1)
        console.print(
            f"{network.title}: {len(content):,} bytes, "
            f"{100 * float(quality.accuracy[0]):.2f} %, loss {float(quality.loss[0]):.4f} bits"
        )


if __name__ == "__main__":
    main()
