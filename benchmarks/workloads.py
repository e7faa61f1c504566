"""What the contenders train, on the same arrays and from the same distribution of weights."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from capacity import data
from capacity.data import DataError


class Workload(NamedTuple):
    """A network, its data and its optimiser (Adam), with the amount of work of one turn."""

    name: str
    title: str  # in a table
    meaning: str
    data: str
    image_shape: tuple[int, ...]
    train_size: int | None
    validation_size: float
    hidden: tuple[int, ...]
    batch_size: int
    learning_rate: float
    members: int  # networks of ours in one turn; a peer trains one
    steps: int  # of every network in one turn

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of every layer, inputs and classes included."""
        return (math.prod(self.image_shape), *self.hidden, 10)

    @property
    def operations(self) -> int:
        """Of the matrix products of one step: forward, to the weights, and to the inputs.

        Each takes 2 x batch x in x out, and the first layer needs no gradient of its inputs.
        """
        products = [a * b for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True)]
        return 2 * self.batch_size * (3 * sum(products) - products[0])


WORKLOADS = {
    "digits": Workload(
        name="digits",
        title="(a)",
        meaning="64-64 MLP on digits, batch 32, Adam 1e-3, population of 8",
        data="digits",
        image_shape=(8, 8, 1),
        train_size=None,
        validation_size=0.1,
        hidden=(64, 64),
        batch_size=32,
        learning_rate=1e-3,
        members=8,
        steps=8000,
    ),
    "lenet": Workload(
        name="lenet",
        title="(b)",
        meaning="LeNet-300-100 on MNIST, batch 60, Adam 1.2e-3",
        data="mnist",
        image_shape=(28, 28, 1),
        train_size=55000,
        validation_size=5000,
        hidden=(300, 100),
        batch_size=60,
        learning_rate=1.2e-3,
        members=2,
        steps=1000,
    ),
}


def export(workload: Workload, folder: Path) -> tuple[Path, str]:
    """The workload's arrays as one file for all contenders, and what they are in words.

    Where the data set cannot be had, random images of the same shape stand in for it.
    """
    size = workload.train_size
    try:
        found = data.load(workload.data, train_size=size, validation_size=workload.validation_size)
        train, held_out = found.train, found.validation
        scale, said = found.scale, f"{workload.data}, {len(train.labels):,} training images"
    except DataError:
        numbers = np.random.default_rng(0)
        train, held_out = (_noise(numbers, n, workload) for n in (size or 1617, 5000))
        scale, said = np.float32(1 / 255), f"RANDOM images in place of {workload.data}"
    file = folder / f"{workload.name}.npz"
    np.savez(
        file,
        inputs=train.inputs,
        labels=train.labels,
        validation_inputs=held_out.inputs,
        validation_labels=held_out.labels,
        scale=scale,
    )
    return file, said


def _noise(numbers: np.random.Generator, size: int, workload: Workload) -> data.Split:
    images = numbers.integers(0, 256, (size, *workload.image_shape), dtype=np.uint8)
    return data.Split(images, numbers.integers(0, 10, size, dtype=np.int32))
