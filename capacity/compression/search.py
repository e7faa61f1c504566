"""Of each codec, the smallest file whose decoded network is within the tolerance."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from capacity import training
from capacity.coding import Quantised, decode, dequantised, encode
from capacity.coding.order import reordered
from capacity.compression.codecs import QUANTISERS, WEIGHT_BASELINES, Quantise
from capacity.models import interchangeable
from capacity.subject import Subject
from capacity.training import Weights, stacked

Leaves = dict[str, Quantised]
T = TypeVar("T")


class File(NamedTuple):
    """A network's file and what it decodes to.

    Attributes:
      relative_step: the step that the search chose; None for a codec without one.
      leaves: the integers in the file; None for a baseline.
      seconds: to quantise, encode, and decode, at that step.
    """

    relative_step: float | None
    leaves: Leaves | None
    content: bytes
    decoded: Weights
    encode_seconds: float
    decode_seconds: float


class Compressed(NamedTuple):
    """One network under one codec; losses in bits, of the decoded network.

    Attributes:
      within: whether its validation accuracy is within the tolerance of the network's.
    """

    codec: str
    file: File
    within: bool
    validation_loss: float
    validation_accuracy: float
    test_loss: float
    test_accuracy: float


def compressed_population(
    subject: Subject, members: Sequence[Weights], accuracies: np.ndarray, diverged: np.ndarray
) -> list[list[Compressed]]:
    """Every member under every codec of the configuration; nothing of one that diverged.

    Args:
      accuracies: [members] on the validation split, which alone decides the steps.
    """
    found: list[list[Compressed]] = [[] for _ in members]
    healthy = [m for m in range(len(members)) if not diverged[m]]
    if not healthy:
        return found
    floors = accuracies - subject.config.coding.tolerance
    for codec in subject.config.coding.codecs:
        if codec in QUANTISERS:
            steps = _steps(subject, QUANTISERS[codec], members, floors, healthy)
            files = {m: _quantised(subject, QUANTISERS[codec], members[m], steps[m]) for m in steps}
        else:
            files = {m: _baseline(codec, members[m]) for m in healthy}
        decoded = stacked([files[m].decoded if m in files else w for m, w in enumerate(members)])
        validation, test = (
            training.evaluate(subject.model, decoded, split, chunk=subject.chunk)
            for split in (subject.validation, subject.test)
        )
        for m in healthy:
            found[m].append(
                Compressed(
                    codec=codec,
                    file=files[m],
                    within=bool(validation.accuracy[m] >= floors[m]),
                    validation_loss=float(validation.loss[m]),
                    validation_accuracy=float(validation.accuracy[m]),
                    test_loss=float(test.loss[m]),
                    test_accuracy=float(test.accuracy[m]),
                )
            )
    return found


def headline(candidates: Sequence[Compressed]) -> Compressed | None:
    """The smallest file within the tolerance; where there is none, the most accurate one."""
    if not candidates:
        return None
    within = [each for each in candidates if each.within]
    if within:
        return min(within, key=lambda each: len(each.file.content))
    return max(candidates, key=lambda each: each.validation_accuracy)


def _steps(
    subject: Subject,
    quantise: Quantise,
    members: Sequence[Weights],
    floors: np.ndarray,
    healthy: Sequence[int],
) -> dict[int, float]:
    """Of each healthy member, the coarsest step within the tolerance, or else the finest."""
    chosen: dict[int, float] = {}
    steps = sorted(subject.config.coding.steps, reverse=True)
    for step in steps:
        left = [m for m in healthy if m not in chosen]
        if not left:
            break
        rounded = {m: _dequantised(quantise(subject, members[m], step)) for m in left}
        trials = stacked([rounded.get(m, w) for m, w in enumerate(members)])
        quality = training.evaluate(subject.model, trials, subject.validation, chunk=subject.chunk)
        within = quality.accuracy >= floors
        chosen |= {m: step for m in left if within[m] or step == steps[-1]}
    return chosen


def _quantised(subject: Subject, quantise: Quantise, weights: Weights, step: float) -> File:
    """Units change places where the network allows it, since that makes a file shorter."""

    def compress() -> tuple[Leaves, bytes]:
        leaves = quantise(subject, weights, step)
        turned = reordered(
            {n: q.symbols for n, q in leaves.items()}, interchangeable(subject.model)
        )
        leaves = {n: q._replace(symbols=turned[n]) for n, q in leaves.items()}
        return leaves, encode(leaves, effort=subject.config.coding.effort)

    (leaves, content), encode_seconds = _timed(compress)
    decoded, decode_seconds = _timed(lambda: decode(content))
    return File(step, leaves, content, decoded, encode_seconds, decode_seconds)


def _baseline(codec: str, weights: Weights) -> File:
    baseline, tensors = WEIGHT_BASELINES[codec], list(weights.values())
    content, encode_seconds = _timed(lambda: baseline.encode(tensors))
    assert content is not None, f"{codec} cannot write finite float32 weights"
    decoded, decode_seconds = _timed(lambda: baseline.decode(content, tensors))
    named = dict(zip(weights, decoded, strict=True))
    return File(None, None, content, named, encode_seconds, decode_seconds)


def _dequantised(leaves: Leaves) -> Weights:
    return {name: dequantised(leaf) for name, leaf in leaves.items()}


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began
