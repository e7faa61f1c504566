"""An experiment as what its trials share, and the axes along which they differ."""

import contextlib
import gc
import itertools
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field

from capacity import axes as axes_of
from capacity.config import Axis, Config, Search, Section, nested
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

    @cached_property
    def trials(self) -> dict[str, Config]:
        """Every trial of the grid by its readable identifier, last axis fastest.

        Of a search, the two at the ends of all axes: for what they cost and whether they can be.
        Sections that are equal are the same object, so that a large grid is small and soon made.
        """
        with _uncollected():
            return dict(self._corners() if self.search else self._grid())

    def trial(self, settings: dict[str, Any]) -> tuple[str, Config]:
        """The identifier and the configuration of the trial with these settings."""
        return self._identifier(settings), self._config(settings)

    def _config(self, settings: dict[str, Any]) -> Config:
        return Config.model_validate(nested({**self.given, **settings}))

    def _corners(self) -> Iterator[tuple[str, Config]]:
        return (self.trial(settings) for settings in axes_of.corners(self.space))

    def _grid(self) -> Iterator[tuple[str, Config]]:
        words = [[_part(key, value) for value in values] for key, values in self.axes.items()]
        own: dict[str, list[int]] = {}  # places of the axes that a section has
        for i, key in enumerate(self.axes):
            own.setdefault(key.partition(".")[0], []).append(i)
        head, first = self._head, {key: values[0] for key, values in self.axes.items()}
        shared = {name: part for name, part in self._config(first) if name not in own}
        made: dict[tuple, Any] = {}
        same: dict[tuple, Any] = {}
        for index in itertools.product(*(range(len(values)) for values in self.axes.values())):
            wanted = {name: (name, *(index[i] for i in places)) for name, places in own.items()}
            if any(key not in made for key in wanted.values()):
                values = (v[i] for v, i in zip(self.axes.values(), index, strict=True))
                config = self._config(dict(zip(self.axes, values, strict=True)))
                for name, key in wanted.items():
                    part = getattr(config, name)
                    made[key] = same.setdefault((name, part), part)
            said = zip(self.axes, (w[i] for w, i in zip(words, index, strict=True)), strict=True)
            sections = shared | {name: made[key] for name, key in wanted.items()}
            yield "-".join({**head, **dict(said)}.values()), Config.of(sections)

    def _identifier(self, point: Mapping[str, Any]) -> str:
        """`mlp-w64-d2-noise0.2`: the data set's and the family's names, then the swept values."""
        said = {key: _part(key, value) for key, value in point.items()}
        return "-".join({**self._head, **said}.values())

    @property
    def _head(self) -> dict[str, str]:
        head = {"data.name": self.base.data.name, "model.family": self.base.model.family}
        return {key: _part(key, value) for key, value in head.items()}


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing made here is garbage, and each collection would look through all of it."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _part(key: str, value: Any) -> str:
    """Of an identifier: a swept value with a word about its key."""
    named = key in ("data.name", "model.family")
    return _word(value) if named else _short(key) + _word(value)


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
