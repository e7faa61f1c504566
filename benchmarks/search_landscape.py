"""Every architecture of some small grids, trained once: tables to search in.

`even`, `layered`: perceptrons on the digits. `bottlenecks`: on MNIST, two widths apart from one
another. `optimisers`: on Fashion-MNIST, where each of two optimisers has its own rates.
`convolutions`: LeNet-5 on MNIST, where rates depend on the size of a batch and the inputs' scale.
"""

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from capacity.device import environment

os.environ |= environment(1)  # before JAX starts

import numpy as np

from benchmarks.grid import write_csv
from capacity import subject, training
from capacity.axes import axes, settings
from capacity.coded import compressed_population
from capacity.config import Config
from capacity.config.flat import nested
from capacity.rounds import rounds
from capacity.search import Choice, Point, Space
from capacity.search.memory import word
from capacity.searching.hunt import space
from capacity.training import members

SEEDS = 3
RATES = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1]
DIGITS = {
    "data.validation_size": 0.3,
    "training.steps": 300,
    "training.evaluate_every": 50,
    "training.batch_size": 32,
}
IMAGES = {"data.train_size": 2048, "data.validation_size": 2000.0}


class Table(NamedTuple):
    """A grid of architectures: the axes, as in a file of a sweep, and what all of it share."""

    axes: dict[str, Any]
    shared: dict[str, Any]

    @property
    def space(self) -> Space:
        """What is searched."""
        return space(axes(self.axes))


TABLES = {
    "even": Table(
        {
            "model.depth": [1, 2, 3],
            "model.width": [3, 4, 6, 8, 12, 16, 24, 32],
            "training.learning_rate": RATES,
        },
        DIGITS,
    ),
    "layered": Table(
        {
            "model.depth": [1, 2, 3],
            "model.widths": {"values": [4, 12, 36], "each": "model.depth"},
            "training.learning_rate": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2],
        },
        DIGITS,
    ),
    "bottlenecks": Table(
        {
            "model.depth": [2],
            "model.widths": {"values": [4, 8, 16, 32, 64], "each": "model.depth"},
            "training.learning_rate": RATES,
        },
        IMAGES
        | {
            "data.name": "mnist",
            "training.steps": 200,
            "training.evaluate_every": 50,
            "training.batch_size": 32,
        },
    ),
    "optimisers": Table(
        {
            "model.depth": [1, 2, 3],
            "model.width": [8, 16, 32, 64],
            "training.optimizer": ["adam", "sgd"],
            "training.learning_rate": RATES,
        },
        IMAGES
        | {
            "data.name": "fashion_mnist",
            "training.steps": 200,
            "training.evaluate_every": 50,
            "training.batch_size": 32,
        },
    ),
    "convolutions": Table(
        {
            "model.width": [0.05, 0.1, 0.15, 0.2],
            "training.batch_size": [16, 64, 256],
            "data.inputs": ["unit", "standardised"],
            "training.learning_rate": RATES,
        },
        IMAGES
        | {
            "data.name": "mnist",
            "data.validation_size": 1000.0,
            "model.family": "lenet5",
            "training.epochs": 2.0,
            "training.evaluate_every": 16,
        },
    ),
}


class Trained(NamedTuple):
    """An architecture: means over the seeds of the networks as their files decode.

    A network that diverged has no file: it guesses, and takes four bytes a weight.

    Attributes:
      accuracy: on the validation split, which alone is searched by.
      size: bytes of the file.
    """

    point: Point
    accuracy: float
    test_accuracy: float
    size: float


Landscape = dict[str, Trained]
"""By the point's word."""


def landscape(name: str, folder: Path) -> Landscape:
    """The table `name` in `folder`; made if there is none, in two to ten minutes of a core."""
    file, table = folder / f"{name}.csv", TABLES[name]
    names = list(table.space.dimensions)
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # The last axis is the rate: one shape after the other.
        rows = [trained(point, table.shared) for point in table.space.points()]
        cells = [(*(row.point.get(n, "") for n in names), *row[1:]) for row in rows]
        write_csv(file, (*names, *Trained._fields[1:]), cells)
    with file.open() as opened:
        found = [
            Trained(_point(table.space, row[: len(names)]), *map(float, row[len(names) :]))
            for row in list(csv.reader(opened))[1:]
        ]
    return {word(each.point): each for each in found}


def trained(point: Point, shared: dict[str, Any]) -> Trained:
    """All seeds of one architecture, trained, written to files and read again."""
    flat = {"coding.effort": "fast", "seeds": SEEDS} | shared | settings(point)
    studied = subject.prepare(Config.model_validate(nested(flat)), "landscape")
    _, played = next(rounds(studied, None))
    quality = training.evaluate(
        studied.model, played.state.best, studied.validation, chunk=studied.chunk
    )
    weights = members(played.state.best)
    files = compressed_population(
        studied,
        weights,
        played.mask,
        np.asarray(quality.accuracy),
        np.asarray(played.state.diverged),
    )
    chance = 1 / studied.dataset.class_count
    whole = 4.0 * sum(np.size(tensor) for tensor in weights[0].values())
    found = [
        (codecs[0].validation_accuracy, codecs[0].test_accuracy, len(codecs[0].file.content))
        if codecs
        else (chance, chance, whole)
        for codecs in files
    ]
    return Trained(point, *np.mean(found, axis=0).tolist())


def _point(searched: Space, cells: Iterable[str]) -> Point:
    """The values that a row's cells stand for; an empty one is of a closed axis."""
    point: Point = {}
    for (name, dimension), cell in zip(searched.dimensions.items(), cells, strict=True):
        if cell:
            assert isinstance(dimension.domain, Choice)
            point[name] = {str(value): value for value in dimension.domain.values}[cell]
    return point
