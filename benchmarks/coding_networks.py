"""The networks whose weights are coded: LeNets in PyTorch's layout, and what they know of MNIST."""

import gzip
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from capacity import training
from capacity.coding import entries, uniform
from capacity.coding.order import Axis, Units, reordered
from capacity.data import Split, load
from capacity.models import Architecture, Model, affine_layers, build
from capacity.training import Examples

# A file's name: the network's title, and the one step to which all its weight matrices are rounded.
PUBLISHED = {
    "lenet300_dense_s0": ("LeNet-300-100, dense", 5 / 64),
    "lenet300_p08_s0": ("LeNet-300-100, 8 %", 0.125),
    "lenet5_dense_s0": ("LeNet-5, dense", 0.0625),
    "lenet5_p08_s0": ("LeNet-5, 8 %", 0.08),
    "lenet5_p02_s0": ("LeNet-5, 2 %", 0.10),
}

Weights = Mapping[str, np.ndarray]


class Network(NamedTuple):
    """A chain of layers whose matrices are coded.

    Attributes:
      name: short, for tables of data.
      title: for people.
      weights: float32, every layer's kernel [out, in] or [out, in, height, width] and its bias.
      steps: of each kernel, to which its weights are rounded.
    """

    name: str
    title: str
    weights: dict[str, np.ndarray]
    steps: dict[str, float]

    def symbols(self) -> dict[str, np.ndarray]:
        """The integers of the kernels, int32, from input to output."""
        return {n: uniform(self.weights[n], step, n).symbols for n, step in self.steps.items()}

    def rounded(self) -> dict[str, np.ndarray]:
        """The weights that the integers stand for, and the biases as they are."""
        exact = {n: q * np.float32(self.steps[n]) for n, q in self.symbols().items()}
        return self.weights | exact


def published(folder: Path) -> list[Network]:
    """The networks that the issue's figures were measured on."""
    found = []
    for name, (title, step) in PUBLISHED.items():
        if not (file := folder / f"{name}.npz").exists():
            raise SystemExit(f"{file}: no such file: --weights names the folder of the networks")
        with np.load(file) as archive:
            weights = {n: archive[n] for n in archive.files if not n.startswith("__")}
        found.append(Network(name, title, weights, dict.fromkeys(_kernels(weights), step)))
    return found


def model_of(weights: Weights) -> Model:
    """The Flax network of a published one."""
    convolutional = any(tensor.ndim == 4 for tensor in weights.values())
    family, width, depth = ("lenet5", 1.0, None) if convolutional else ("mlp", 300.0, 2)
    shape = (28, 28, 1)
    return build(Architecture(family, width, depth, 1 / 3, "relu", False, "glorot", shape, 10))


def params_of(weights: Weights) -> dict[str, np.ndarray]:
    """Its weights in the layout of Flax: kernels [in, out] and HWIO, images channel last."""
    kernels = [name for name in weights if name.endswith("weight")]
    found, channels = {}, 1
    for name, layer in zip(kernels, affine_layers(model_of(weights)), strict=True):
        kernel = weights[name]
        if kernel.ndim == 4:
            turned, channels = kernel.transpose(2, 3, 1, 0), kernel.shape[0]
        else:
            side = round((kernel.shape[1] / channels) ** 0.5) if channels > 1 else 0
            images = kernel.reshape(-1, channels, side, side) if side else kernel.T
            turned = images.transpose(2, 3, 1, 0).reshape(kernel.shape[::-1]) if side else images
            channels = 1
        found[layer.kernel] = np.ascontiguousarray(turned)
        found[str(layer.bias)] = weights[name.replace("weight", "bias")]
    return found


def trained(folder: Path) -> list[Network]:
    """Each seed of a sweep of an mlp, dense and after the last round, rounded in two ways.

    Once to the steps of the published networks, and once to those of its own compressed file,
    which were chosen on the validation split.
    """
    files = [f for f in sorted(folder.glob("trials/*/s*-r*.npz")) if f.stem.count("-") == 1]
    if not files:
        raise SystemExit(f"{folder}: no networks there: python -m capacity.sweep makes them")
    last = max(_round(file) for file in files)
    return [
        network
        for trial in sorted({file.parent for file in files})
        for number in dict.fromkeys((0, last))
        for file in files
        if file.parent == trial and _round(file) == number
        for network in _rounded_twice(file)
    ]


def _rounded_twice(file: Path) -> list[Network]:
    with np.load(file) as archive:
        arrays = {n: archive[n] for n in archive.files if not n.startswith("mask/")}
    weights = {n: np.ascontiguousarray(a.T) for n, a in arrays.items()}
    kernels = _kernels(weights)
    told = {entry.name: entry for entry in entries(file.with_suffix(".cap").read_bytes())}
    if any(told[name].quantiser != "uniform" for name in kernels):
        raise SystemExit(f"{file}: the sweep must have coding.codecs=[uniform]")
    kept = sum(np.count_nonzero(weights[n]) for n in kernels)
    density = kept / sum(weights[n].size for n in kernels)
    step = 5 / 64 if density == 1 else 0.125
    name = f"{file.parent.name}/{file.stem}"
    title = f"{file.parent.name}, seed {file.stem[1:].partition('-')[0]}, {_density(density)}"
    own = {kernel: told[kernel].step for kernel in kernels}
    return [
        Network(name, f"{title}, step {step:g}", weights, dict.fromkeys(kernels, step)),
        Network(f"{name}-own", f"{title}, own steps", weights, own),
    ]


def _round(file: Path) -> int:
    return int(file.stem.partition("-r")[2])


def turned(symbols: Weights) -> dict[str, np.ndarray]:
    """The same chain with its hidden units in an order that makes files shorter."""
    return reordered(
        symbols,
        [
            Units((Axis(kernel, 0),), (Axis(following, 1, fastest=False),))
            for kernel, following in pairwise(symbols)
        ],
    )


class Score(NamedTuple):
    """Of a network on the test split: correct answers in percent, and the loss in bits."""

    accuracy: float
    loss: float


def mnist(folder: Path | None, split: str) -> Split:
    """A split of MNIST, `train` or `test`, from its four files or, without them, by TFDS."""
    if folder is None:
        dataset = load("mnist", validation_size=1)
        return dataset.test if split == "test" else dataset.train
    stem = {"train": "train", "test": "t10k"}[split]
    arrays = []
    for kind, offset in (("images-idx3", 16), ("labels-idx1", 8)):
        file = folder / f"{stem}-{kind}-ubyte.gz"
        if not file.exists():
            raise SystemExit(f"{file}: no such file: --mnist names the folder of MNIST's four")
        with gzip.open(file) as opened:
            arrays.append(np.frombuffer(opened.read(), np.uint8, offset=offset))
    images, labels = arrays
    return Split(images.reshape(-1, 28, 28, 1), labels.astype(np.int32))


def score(weights: Weights, split: Split) -> Score:
    """What a network answers to images scaled to [0, 1]."""
    logits = []
    for start in range(0, len(split.labels), 500):
        images = split.inputs[start : start + 500].astype(np.float32) / np.float32(255)
        logits.append(_logits(weights, images))
    table = np.concatenate(logits).astype(np.float64)
    table -= table.max(axis=1, keepdims=True)
    picked = table[np.arange(len(table)), split.labels]
    loss = np.log2(np.exp(table).sum(axis=1)) - picked / np.log(2)
    return Score(100 * float(np.mean(table.argmax(axis=1) == split.labels)), float(loss.mean()))


def flax_score(weights: Weights, split: Split) -> Score:
    """The same of weights in the layout of Flax, by names that end in `kernel`, or of PyTorch."""
    if any(name.endswith("weight") for name in weights):
        weights = params_of(weights)
    examples = Examples(
        jnp.asarray(split.inputs), jnp.asarray(split.labels), jnp.zeros(()), jnp.float32(1 / 255)
    )
    return score_of(model_of(weights), weights, examples)


def score_of(model: Model, weights: Weights, examples: Examples) -> Score:
    """Of weights in the layout of Flax on examples on the device."""
    stacked = {name: jnp.asarray(tensor)[None] for name, tensor in weights.items()}
    quality = training.evaluate(model, stacked, examples, chunk=1)
    return Score(100 * float(quality.accuracy[0]), float(quality.loss[0]))


def _logits(weights: Weights, images: np.ndarray) -> np.ndarray:
    values = np.moveaxis(images, -1, 1)
    names = _kernels(weights)
    for name in names:
        kernel, bias = weights[name], weights[name.replace("weight", "bias")]
        if kernel.ndim == 4:
            values = _pooled(np.maximum(_convolved(values, kernel) + bias[:, None, None], 0))
        else:
            values = values.reshape(len(values), -1) @ kernel.T + bias
            values = values if name == names[-1] else np.maximum(values, 0)
    return values


def _convolved(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """[n, in, y, x] by [out, in, height, width] without padding."""
    patches = np.lib.stride_tricks.sliding_window_view(values, kernel.shape[2:], axis=(2, 3))
    return np.moveaxis(np.tensordot(patches, kernel, ((1, 4, 5), (1, 2, 3))), -1, 1)


def _pooled(values: np.ndarray) -> np.ndarray:
    n, channels, height, width = values.shape
    return values.reshape(n, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))


def _kernels(weights: Weights) -> list[str]:
    return [name for name, array in weights.items() if array.ndim > 1]


def _density(density: float) -> str:
    return "dense" if density == 1 else f"{density:.1%}"
