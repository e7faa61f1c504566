"""The networks of a population as files: of each, the coarsest quantiser within the tolerance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from capacity import training
from capacity.coding import decode, dequantised, encode, tensor_step, uniform
from capacity.information import WeightEntropy, weight_entropy
from capacity.subject import Subject
from capacity.training import Weights, stacked


class Coded(NamedTuple):
    """A network's compressed file and what it decodes to."""

    relative_step: float
    steps: dict[str, float]
    entropy: WeightEntropy
    file: bytes
    decoded: Weights


def coded_population(
    subject: Subject, members: Sequence[Weights], accuracies: np.ndarray, diverged: np.ndarray
) -> list[Coded | None]:
    """The file of every member, None for one that diverged.

    Its step is the coarsest whose network stays within the tolerance of the member's validation
    accuracy in `accuracies`; where even the finest does not, the finest is taken.
    """
    chosen: list[float | None] = [None] * len(members)
    open_members = [m for m in range(len(members)) if not diverged[m]]
    steps = sorted(subject.config.coding.steps, reverse=True)
    for relative in steps:
        if not open_members:
            break
        trials = stacked(
            [w if diverged[m] else _rounded(w, relative) for m, w in enumerate(members)]
        )
        found = training.evaluate(subject.model, trials, subject.validation, chunk=subject.chunk)
        within = found.accuracy >= accuracies - subject.config.coding.tolerance
        for m in [m for m in open_members if within[m] or relative == steps[-1]]:
            chosen[m] = relative
            open_members.remove(m)
    return [_file(w, c) if c else None for w, c in zip(members, chosen, strict=True)]


def _rounded(weights: Weights, relative: float) -> Weights:
    return {n: dequantised(uniform(w, tensor_step(w, relative), n)) for n, w in weights.items()}


def _file(weights: Weights, relative: float) -> Coded:
    leaves = {n: uniform(w, tensor_step(w, relative), n) for n, w in weights.items()}
    steps = {name: leaf.step for name, leaf in leaves.items()}
    entropy = weight_entropy({name: leaf.symbols for name, leaf in leaves.items()})
    file = encode(leaves)
    return Coded(relative, steps, entropy, file, decode(file))
