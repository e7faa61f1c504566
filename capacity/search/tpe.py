"""Tree-structured Parzen estimators (Bergstra et al., 2011, 2013) by Optuna; its only importer."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from capacity.search.domains import Choice, Number, Range
from capacity.search.memory import Memory, word
from capacity.search.space import Point, Space

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Tpe:
    """Proposes points that are likelier among the good ones than among the rest.

    The first `startup` points are those that `AtRandom` of the same seed proposes, the very first
    the middle of the space unless `middle` is false. Of n that were told, the best `good(n)` are
    the good ones; with several costs those of the first Pareto ranks (Ozaki et al., 2022). Ordered
    choices are whole numbers to the estimator, ranges that open together are estimated together,
    and a proposal that is not told of yet counts as bad, so that many asked at once differ. One
    that failed counts as the worst so far.

    The study is made anew of what was told for every point, since Optuna's samplers have a state
    that no file holds; about 5 ms.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        objectives: int = 1,
        startup: int = 1,
        middle: bool = True,
    ):
        self._memory = Memory(space, seed)
        self._objectives, self._startup, self._middle = objectives, startup, middle
        self._trials: list[FrozenTrial] = []
        self._pending: dict[str, FrozenTrial] = {}

    def ask(self) -> Point:
        """A point to start with, then one of the largest expected improvement."""
        memory = self._memory
        generator = memory.generator()
        if memory.number < self._startup or not self._trials:
            point = memory.start(generator, middle=self._middle)
        else:
            study = self._study(int(generator.integers(2**31)))
            point = memory.new(lambda: self._proposal(study), generator)
        self._pending[word(point)] = self._trial(point, TrialState.RUNNING)
        return point

    def tell(self, point: Point, costs: Sequence[Number] | None) -> None:
        """What the point came to."""
        if costs is None:
            costs = self._memory.worst()
            self._memory.tell(point, None)
        else:
            self._memory.tell(point, costs)
        self._pending.pop(word(point), None)
        if costs is not None:
            self._trials.append(self._trial(point, TrialState.COMPLETE, costs))

    def _study(self, seed: int) -> optuna.Study:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.simplefilter("ignore", FutureWarning)  # `gamma` leaves with Optuna 6
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=0,
                gamma=good,
                multivariate=True,
                group=True,
                constant_liar=True,
                seed=seed,
            )
            down = [optuna.study.StudyDirection.MINIMIZE] * self._objectives
            study = optuna.create_study(directions=down, sampler=sampler)
        study.add_trials([*self._trials, *self._pending.values()])
        return study

    def _proposal(self, study: optuna.Study) -> Point:
        trial, point = study.ask(), {}
        for name, dimension in self._memory.space.dimensions.items():
            if self._memory.space.open(name, point):
                point[name] = _suggested(trial, name, dimension.domain)
        return point  # The trial stays a running one of this study: if it is known, it is avoided.

    def _trial(
        self, point: Point, state: TrialState, costs: Sequence[Number] | None = None
    ) -> FrozenTrial:
        domains = {name: self._memory.space.dimensions[name].domain for name in point}
        return create_trial(
            state=state,
            values=None if costs is None else [float(cost) for cost in costs],
            params={name: _number(value, domains[name]) for name, value in point.items()},
            distributions={name: _distribution(domain) for name, domain in domains.items()},
        )


def good(count: int) -> int:
    """How many of `count` trials are good: by the square root, as in hyperopt, times three.

    Of the first ten these are two to three where Optuna's tenth is one, which knows no direction:
    on `even` and `bottlenecks` (`benchmarks/search_landscape.py`) the best 5 % took it 11 trials
    from the middle in place of 7 and 8.
    """
    return max(1, math.ceil(0.75 * math.sqrt(count)))


def _distribution(domain: Choice | Range) -> BaseDistribution:
    """Choices by their place, as values may be lists; fixed, as Optuna refuses one that changes."""
    if isinstance(domain, Choice):
        if domain.ordered:
            return IntDistribution(0, len(domain.values) - 1)
        return CategoricalDistribution(range(len(domain.values)))
    if domain.step is None:
        return FloatDistribution(domain.low, domain.high, log=domain.log)
    if domain.log and float(domain.low).is_integer() and domain.step == 1:
        return IntDistribution(int(domain.low), int(domain.high), log=True)
    if domain.log:  # Optuna has no steps on a logarithmic scale; `Range.inside` makes them.
        return FloatDistribution(domain.low, domain.high, log=True)
    return IntDistribution(0, int(domain.size) - 1)


def _suggested(trial: Trial, name: str, domain: Choice | Range) -> Any:
    match _distribution(domain):
        case IntDistribution(low=low, high=high, log=log):
            number: Any = trial.suggest_int(name, low, high, log=log)
        case FloatDistribution(low=low, high=high, log=log):
            number = trial.suggest_float(name, low, high, log=log)
        case _:
            assert isinstance(domain, Choice)
            number = trial.suggest_categorical(name, range(len(domain.values)))
    if isinstance(domain, Choice):
        return domain.sorted[number]
    if domain.step is None or domain.log:
        return domain.inside(number)
    return domain.inside(domain.low + number * domain.step)


def _number(value: Any, domain: Choice | Range) -> Any:
    if isinstance(domain, Choice):
        return domain.sorted.index(value)
    if domain.step is None or domain.log:
        return value
    return round((value - domain.low) / domain.step)
