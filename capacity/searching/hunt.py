"""A search as it runs: what it proposes, what its trials came to, and what it knew before."""

import io
import json
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd
import pydantic

from capacity import data, training
from capacity.analysis import searched
from capacity.axes import PLACE, settings
from capacity.config import Axis, Config
from capacity.experiment import Experiment
from capacity.models import ModelError, Params, inherited
from capacity.rows import CandidateRow
from capacity.search import (
    AtRandom,
    Choice,
    Dimension,
    Evolution,
    ExhaustedError,
    Point,
    Range,
    Searcher,
    Space,
)
from capacity.search.memory import word
from capacity.search.tpe import Tpe
from capacity.store import Store
from capacity.subject import architecture


class Candidate(NamedTuple):
    """A trial to run.

    Attributes:
      start: weights [seeds, ...] that it starts from; None draws them.
    """

    trial: str
    config: Config
    row: CandidateRow
    start: Params | None


class Hunt:
    """A search over the trials of an experiment, which goes on from those that are on the disk.

    What was told of them is told again, in the order in which they were proposed; where all trials
    ran one after the other and none failed, the search then goes on as if it had never stopped.
    """

    def __init__(self, experiment: Experiment, store: Store, say: Callable[[str], object]):
        assert experiment.search is not None
        self._say = say
        self._experiment, self._store, self._search = experiment, store, experiment.search
        self._searcher = searcher(experiment, space(experiment.space))
        self._trials: dict[str, str] = {}  # by point
        self._points: dict[str, Point] = {}  # by trial
        self._number = 0
        rows = [row for trial in store.finished() for row in store.rows(trial, "candidates")]
        for row in sorted(rows, key=lambda row: row["number"]):
            self._keep(row["trial"], json.loads(row["point"]))
            self._number = row["number"] + 1
            self.ended(row["trial"])

    @property
    def left(self) -> int:
        """How many trials may still be proposed."""
        return self._search.trials - self._number

    def next(self) -> Candidate | None:
        """The trial to run now; None if there are no more.

        A point that is no valid configuration is told as a failure, and another proposed.
        """
        while self.left > 0:
            try:
                return self._proposed()
            except ExhaustedError:
                self._say(f"{self.left} trials fewer: every point of the space was tried")
                return None
            except pydantic.ValidationError as error:
                self._say(f"failed: {error.errors()[0]['msg'].removeprefix('Value error, ')}")
        return None

    def _proposed(self) -> Candidate:
        parent = None
        if isinstance(self._searcher, Evolution):
            point, parent = self._searcher.ask_with_parent()
        else:
            point = self._searcher.ask()
        number, self._number = self._number, self._number + 1
        try:
            trial, config = self._experiment.trial(settings(point))
        except pydantic.ValidationError:
            self._searcher.tell(point, None)
            raise
        born = None if parent is None else self._trials[word(parent)]
        start = self._start(born, config) if born and self._search.inherit else None
        self._keep(trial, point)
        row = CandidateRow(
            trial=trial,
            number=number,
            parent=born,
            inherited=start is not None,
            point=json.dumps(point),
            stopped=None,
        )
        return Candidate(trial, config, row, start)

    def ended(self, trial: str) -> None:
        """A trial that was proposed is on the disk, or has failed."""
        self._searcher.tell(self._points[trial], self._costs(trial))

    def _keep(self, trial: str, point: Point) -> None:
        self._points[trial], self._trials[word(point)] = point, trial

    def _costs(self, trial: str) -> list[float] | None:
        rows = self._store.rows(trial, "networks") if trial in self._store.finished() else []
        if not rows:
            return None
        costs = searched.costs(searched.values(pd.DataFrame(rows), self._search.objectives))[0]
        return costs.tolist() if np.isfinite(costs).all() else None

    def _start(self, parent: str, child: Config) -> Params | None:
        """The parent's dense weights, changed to the child's widths; None where none fit."""
        _, config = self._experiment.trial(settings(self._points[parent]))
        dataset = data.load(**dict(child.data))
        files = [self._store.file(parent, f"s{seed}-r0.npz") for seed in range(child.seeds)]
        if None in files:
            return None
        members = [_weights(file) for file in files if file is not None]
        keys = training.member_keys(range(child.seeds), "inheritance")
        before, after = architecture(config, dataset), architecture(child, dataset)
        try:
            return jax.vmap(lambda params, key: inherited(before, params, after, key))(
                training.stacked(members), keys
            )
        except ModelError:
            return None


def space(axes: dict[str, Axis]) -> Space:
    """The axes as dimensions: a key with a value for each of several has one for each place."""
    found: dict[str, Dimension] = {}
    for key, axis in axes.items():
        domain = _domain(axis)
        when = {other: axis.opened_by(other) for other in axis.when}
        if axis.each is None:
            found[key] = Dimension(domain, when)
            continue
        counts = list(Space({"count": _domain(axes[axis.each])}).points())
        most = max(point["count"] for point in counts)
        for i in range(most):
            enough = tuple(point["count"] for point in counts if point["count"] > i)
            like = f"{key}{PLACE}{i - 1}" if i else None
            found[f"{key}{PLACE}{i}"] = Dimension(domain, when | {axis.each: enough}, like)
    return Space(found)


def searcher(experiment: Experiment, space: Space) -> Searcher:
    """Who proposes the trials of an experiment."""
    search = experiment.search
    assert search is not None
    match search.method:
        case "random":
            return AtRandom(space, search.seed)
        case "tpe":
            return Tpe(
                space,
                search.seed,
                objectives=len(search.objectives),
                startup=search.startup,
                middle=search.middle,
            )
        case "evolution":
            return Evolution(
                space,
                search.seed,
                population=search.population,
                tournament=search.tournament,
                startup=search.startup,
                middle=search.middle,
            )


def _domain(axis: Axis) -> Choice | Range:
    if axis.values is not None:
        return Choice(axis.values)
    assert axis.low is not None
    assert axis.high is not None
    return Range(axis.low, axis.high, axis.log, axis.steps)


def _weights(file: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(file)) as arrays:
        return {name: arrays[name] for name in arrays.files if not name.startswith("mask/")}
