"""Every architecture of two small grids on the embedded digits, trained once: tables to search in.

`even`: eight widths, the same in all of one to three hidden layers, at eight learning rates.
`layered`: a width for each of one to three layers, at five learning rates: a conditional space.
"""

import csv
import os
from pathlib import Path
from typing import NamedTuple

from capacity.device import environment

os.environ |= environment(1)  # before JAX starts

import numpy as np

from benchmarks.grid import write_csv
from capacity import subject, training
from capacity.coded import compressed_population
from capacity.config import Config
from capacity.rounds import rounds
from capacity.search import Choice, Dimension, Point, Space
from capacity.training import members

SEEDS = 3
DEPTHS, WIDTHS = (1, 2, 3), (4, 12, 36)
SPACES = {
    "even": Space(
        {
            "depth": Choice(DEPTHS),
            "width.0": Choice((3, 4, 6, 8, 12, 16, 24, 32)),
            "rate": Choice((1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)),
        }
    ),
    "layered": Space(
        {
            "depth": Choice(DEPTHS),
            "width.0": Choice(WIDTHS),
            "width.1": Dimension(Choice(WIDTHS), {"depth": (2, 3)}, like="width.0"),
            "width.2": Dimension(Choice(WIDTHS), {"depth": (3,)}, like="width.1"),
            "rate": Choice((3e-4, 1e-3, 3e-3, 1e-2, 3e-2)),
        }
    ),
}
SETTINGS = {
    "data": {"validation_size": 0.3},
    "training": {"steps": 300, "evaluate_every": 50, "batch_size": 32},
    "coding": {"effort": "fast"},
    "seeds": SEEDS,
}


class Trained(NamedTuple):
    """An architecture: means over the seeds of the networks as their files decode.

    Attributes:
      accuracy: on the validation split, which alone is searched by.
      size: bytes of the file.
    """

    widths: tuple[int, ...]
    rate: float
    accuracy: float
    test_accuracy: float
    size: float


Landscape = dict[tuple, Trained]
"""By widths and learning rate."""


def landscape(name: str, folder: Path) -> Landscape:
    """The table `name` in `folder`; made if there is none, in two to five minutes of a core."""
    file = folder / f"{name}.csv"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        points = sorted(SPACES[name].points(), key=lambda point: key(point)[0])
        rows = [trained(*key(point)) for point in points]  # one shape after the other
        cells = [("x".join(map(str, r.widths)), *r[1:]) for r in rows]
        write_csv(file, Trained._fields, cells)
    with file.open() as opened:
        found = [
            Trained(tuple(map(int, widths.split("x"))), *map(float, numbers))
            for widths, *numbers in list(csv.reader(opened))[1:]
        ]
    return {(each.widths, each.rate): each for each in found}


def key(point: Point) -> tuple[tuple[int, ...], float]:
    """Widths and learning rate of a point; a layer without a width is as wide as the first."""
    layers = range(point["depth"])
    return tuple(point.get(f"width.{i}", point["width.0"]) for i in layers), point["rate"]


def trained(widths: tuple[int, ...], rate: float) -> Trained:
    """All seeds of one architecture, trained, written to files and read again."""
    settings = {**SETTINGS, "model": {"widths": widths}}
    settings["training"] = {**SETTINGS["training"], "learning_rate": rate}
    studied = subject.prepare(Config.model_validate(settings), "landscape")
    _, played = next(rounds(studied, None))
    quality = training.evaluate(
        studied.model, played.state.best, studied.validation, chunk=studied.chunk
    )
    files = compressed_population(
        studied,
        members(played.state.best),
        played.mask,
        np.asarray(quality.accuracy),
        np.asarray(played.state.diverged),
    )
    best = [codecs[0] for codecs in files]
    return Trained(
        widths,
        rate,
        float(np.mean([each.validation_accuracy for each in best])),
        float(np.mean([each.test_accuracy for each in best])),
        float(np.mean([len(each.file.content) for each in best])),
    )
