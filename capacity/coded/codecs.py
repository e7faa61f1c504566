"""The ways to make a file of a trained network; a new one is a function and a line here.

A quantiser decides the integers, which the container writes by the shortest of its own codes. A
baseline is what others do: it writes the weights as they are, to a file of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np

from capacity import training
from capacity.coded.calibrating import calibration_inputs
from capacity.coded.surgeon import surgeon
from capacity.coding import Quantised
from capacity.coding.baselines import BASELINES
from capacity.coding.recipe import Recipe, quantised
from capacity.subject import Subject
from capacity.training import FinetunePlan, Mask, Weights, member_keys, stacked

Leaves = dict[str, Quantised]

_SPAN = 6.0  # of a tensor's weights in units of their rms, about


class Proposal(NamedTuple):
    """Integers for every member, and the setting that made them.

    Attributes:
      setting: step in units of each tensor's surviving rms, or the rate weight.
    """

    setting: float
    leaves: list[Leaves]


Quantise = Callable[[Subject, Sequence[Weights], Mask], Iterator[Proposal]]
"""(subject, members, their masks) to proposals, the one of the smallest files first."""


def _by_step(quantiser: Literal["uniform", "rdo", "kmeans"]) -> Quantise:
    """Every tensor alike, coarser steps first; a codebook has as many levels as a step would."""

    def quantise(subject: Subject, members: Sequence[Weights], mask: Mask) -> Iterator[Proposal]:
        for step in sorted(subject.config.coding.steps, reverse=True):
            levels = max(2, round(_SPAN / step) + 1)
            recipe = Recipe(quantiser, relative_step=step, levels=levels)
            yield Proposal(
                step, [{n: quantised(w, recipe, n) for n, w in m.items()} for m in members]
            )

    return quantise


def _fine_tuned(subject: Subject, members: Sequence[Weights], mask: Mask) -> Iterator[Proposal]:
    """All members under all rate weights as one population."""
    settings = subject.config.coding
    rates = sorted(settings.rate_weights, reverse=True)
    count, examples = len(members), len(subject.dataset.train.labels)
    updates = max(1, examples // subject.config.training.batch_size)
    found = training.finetune(
        subject.model,
        FinetunePlan(evaluations=settings.finetune_epochs, updates=updates),
        subject.train,
        subject.validation,
        stacked([weights for _ in rates for weights in members]),
        {name: jnp.tile(m, (len(rates),) + (1,) * (m.ndim - 1)) for name, m in mask.items()},
        jnp.repeat(jnp.asarray(rates, jnp.float32), count),
        jnp.tile(member_keys(range(count), "fine-tuned"), len(rates)),
        batch_size=subject.config.training.batch_size,
        shift=settings.shift,
    )
    symbols = {name: np.asarray(leaf) for name, leaf in found.symbols.items()}
    steps = {name: np.asarray(leaf) for name, leaf in found.steps.items()}
    for i, rate in enumerate(rates):
        each = range(i * count, (i + 1) * count)
        yield Proposal(
            rate,
            [{n: Quantised(s[m], float(steps[n][m])) for n, s in symbols.items()} for m in each],
        )


def _obs(subject: Subject, members: Sequence[Weights], mask: Mask) -> Iterator[Proposal]:
    """Of every member the dearest bits first; pruned weights may return where that is cheap."""
    settings = subject.config.coding
    draw, labels = (member_keys([0], name)[0] for name in ("calibration", "labels"))
    inputs = calibration_inputs(subject.train, settings.calibration, settings.shift, draw)
    surgeons = [surgeon(subject.model, each, inputs, labels) for each in members]
    for rate in sorted(settings.obs_rate_weights, reverse=True):
        yield Proposal(rate, [quantised(rate) for quantised in surgeons])


QUANTISERS: dict[str, Quantise] = {
    "uniform": _by_step("uniform"),
    "rdo": _by_step("rdo"),
    "kmeans": _by_step("kmeans"),
    "obs": _obs,
    "fine-tuned": _fine_tuned,
}
WEIGHT_BASELINES = {
    name.removeprefix("weights, "): baseline
    for name, baseline in BASELINES.items()
    if baseline.takes == "weights"
}
CODECS = (*QUANTISERS, *WEIGHT_BASELINES)
