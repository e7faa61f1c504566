"""The ways to make a file of a trained network; a new one is a function and a line here.

A quantiser decides the integers, which the container writes by the shortest of its own codes. A
baseline is what others do: it writes the weights as they are, to a file of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from capacity import training
from capacity.coding import Quantised, kmeans, rdo, tensor_step, uniform
from capacity.coding.baselines import BASELINES
from capacity.coding.recipe import RDO_WEIGHT
from capacity.subject import Subject
from capacity.training import Mask, Recipe, Weights, member_keys, stacked

Leaves = dict[str, Quantised]

_SPAN = 6.0  # of a tensor's weights in units of their rms, about


class Proposal(NamedTuple):
    """Integers for every member, and the setting that made them.

    Attributes:
      setting: step in units of each tensor's surviving rms; for fine-tuning its rate weight.
    """

    setting: float
    leaves: list[Leaves]


Quantise = Callable[[Subject, Sequence[Weights], Mask], Iterator[Proposal]]
"""(subject, members, their masks) to proposals, the one of the smallest files first."""


def _uniform(subject: Subject, members: Sequence[Weights], mask: Mask) -> Iterator[Proposal]:
    def quantised(weights: np.ndarray, step: float, name: str) -> Quantised:
        return uniform(weights, tensor_step(weights, step, name), name)

    return _by_step(subject, members, quantised)


def _kmeans(subject: Subject, members: Sequence[Weights], mask: Mask) -> Iterator[Proposal]:
    def quantised(weights: np.ndarray, step: float, name: str) -> Quantised:
        return kmeans(weights, max(2, round(_SPAN / step) + 1), name)

    return _by_step(subject, members, quantised)


def _rdo(subject: Subject, members: Sequence[Weights], mask: Mask) -> Iterator[Proposal]:
    def quantised(weights: np.ndarray, relative_step: float, name: str) -> Quantised:
        step = tensor_step(weights, relative_step, name)
        return rdo(weights, step, RDO_WEIGHT * step**2, name=name)

    return _by_step(subject, members, quantised)


def _fine_tuned(subject: Subject, members: Sequence[Weights], mask: Mask) -> Iterator[Proposal]:
    """All members under all rate weights as one population."""
    settings = subject.config.coding
    rates = sorted(settings.rate_weights, reverse=True)
    count, examples = len(members), len(subject.dataset.train.labels)
    updates = max(1, examples // subject.config.training.batch_size)
    found = training.finetune(
        subject.model,
        Recipe(evaluations=settings.finetune_epochs, updates=updates),
        subject.train,
        subject.validation,
        stacked([weights for _ in rates for weights in members]),
        {name: jnp.tile(m, (len(rates),) + (1,) * (m.ndim - 1)) for name, m in mask.items()},
        jnp.repeat(jnp.asarray(rates, jnp.float32), count),
        jnp.tile(member_keys(range(count), "fine-tuned"), len(rates)),
        batch_size=subject.config.training.batch_size,
    )
    symbols = {name: np.asarray(leaf) for name, leaf in found.symbols.items()}
    steps = {name: np.asarray(leaf) for name, leaf in found.steps.items()}
    for i, rate in enumerate(rates):
        each = range(i * count, (i + 1) * count)
        yield Proposal(
            rate,
            [{n: Quantised(s[m], float(steps[n][m])) for n, s in symbols.items()} for m in each],
        )


def _by_step(
    subject: Subject,
    members: Sequence[Weights],
    quantised: Callable[[np.ndarray, float, str], Quantised],
) -> Iterator[Proposal]:
    for step in sorted(subject.config.coding.steps, reverse=True):
        yield Proposal(step, [{n: quantised(w, step, n) for n, w in m.items()} for m in members])


QUANTISERS: dict[str, Quantise] = {
    "uniform": _uniform,
    "rdo": _rdo,
    "kmeans": _kmeans,
    "fine-tuned": _fine_tuned,
}
WEIGHT_BASELINES = {
    name.removeprefix("weights, "): baseline
    for name, baseline in BASELINES.items()
    if baseline.takes == "weights"
}
CODECS = (*QUANTISERS, *WEIGHT_BASELINES)
