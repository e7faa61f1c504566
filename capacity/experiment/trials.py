"""An experiment as what its trials share, and the axes along which they differ."""

import itertools
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from capacity import axes as axes_of
from capacity.config import Axis, Config, Search, Section, flatten, nested
from capacity.experiment.mistakes import show


class Experiment(Section):
    """A whole file: the settings all trials share, and the axes along which they differ.

    Either `axes` of a grid, or a `search` among those of a `space`. The base is at the first end of
    every axis; of `given`, the settings of the file alone, a key that a trial leaves out is taken.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    base: Config
    given: dict[str, Any]
    axes: dict[str, tuple[Any, ...]]
    search: Search | None = None
    space: dict[str, Axis] = Field(default_factory=dict)

    @property
    def trials(self) -> dict[str, Config]:
        """Every trial of the grid by its readable identifier, last axis fastest.

        Of a search, the two at the ends of all axes: for what they cost and whether they can be.
        """
        return dict(self._corners() if self.search else self._grid())

    def trial(self, settings: dict[str, Any]) -> tuple[str, Config]:
        """The identifier and the configuration of the trial with these settings."""
        config = Config.model_validate(nested({**self.given, **settings}))
        return _trial_id(self.base, settings), config

    def _corners(self) -> Iterator[tuple[str, Config]]:
        return (self.trial(settings) for settings in axes_of.corners(self.space))

    def _grid(self) -> Iterator[tuple[str, Config]]:
        for values in itertools.product(*self.axes.values()):
            point = dict(zip(self.axes, values, strict=True))
            yield self.trial(point)


def _trial_id(base: Config, point: dict[str, Any]) -> str:
    """`mlp-w64-d2-noise0.2`: the data set's and the family's names, then the other swept values."""
    flat = {**flatten(base), **point}
    parts = [_word(flat["data.name"]), flat["model.family"]]
    for key, value in point.items():
        if key not in ("data.name", "model.family"):
            parts.append(_short(key) + _word(value))
    return "-".join(parts)


def _word(value: Any) -> str:
    """`value` as a part of a file's name: `mnist_3.0.1` for `mnist:3.0.1`."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", show(value)).strip("_")


def _short(key: str) -> str:
    known = {
        "model.width": "w",
        "model.depth": "d",
        "model.widths": "w",
        "data.label_noise": "noise",
        "data.train_size": "n",
        "training.learning_rate": "lr",
        "training.weight_decay": "wd",
        "pruning.method": "",
        "pruning.schedule": "",
    }
    return known.get(key, key.rsplit(".", 1)[-1] + "_")
