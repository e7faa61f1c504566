"""Of each codec, the smallest file whose decoded network is within the tolerance."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from capacity import training
from capacity.coded.codecs import QUANTISERS, WEIGHT_BASELINES, Leaves, Quantise
from capacity.coding import decode, dequantised, encode
from capacity.coding.order import with_units_ordered
from capacity.models import interchangeable
from capacity.subject import Subject
from capacity.training import Mask, Weights, stacked

T = TypeVar("T")


class File(NamedTuple):
    """A network's file and what it decodes to.

    Attributes:
      setting: the step or rate weight that the search chose; None for a baseline.
      leaves: the integers in the file; None for a baseline.
    """

    setting: float | None
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
    subject: Subject,
    members: Sequence[Weights],
    mask: Mask,
    accuracies: np.ndarray,
    diverged: np.ndarray,
) -> list[list[Compressed]]:
    """Every member under every codec of the configuration; nothing of one that diverged.

    Args:
      mask: [members, ...] of the prunable tensors.
      accuracies: [members] on the validation split, which alone decides the settings.
    """
    found: list[list[Compressed]] = [[] for _ in members]
    healthy = [m for m in range(len(members)) if not diverged[m]]
    if not healthy:
        return found
    # A diverged member has no integers: another takes its place in the population, for nothing.
    whole = [members[healthy[0]] if diverged[m] else w for m, w in enumerate(members)]
    floors = accuracies - subject.config.coding.tolerance
    for codec in subject.config.coding.codecs:
        if codec in QUANTISERS:
            files = _quantised(subject, QUANTISERS[codec], whole, mask, floors)
        else:
            files = [_baseline(codec, weights) for weights in whole]
        decoded = stacked([file.decoded for file in files])
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


def _quantised(
    subject: Subject,
    quantise: Quantise,
    members: Sequence[Weights],
    mask: Mask,
    floors: np.ndarray,
) -> list[File]:
    """Of each member the first proposal within the tolerance, or else the last, as a file."""
    chosen: dict[int, tuple[float, Leaves]] = {}
    last = None
    for last in quantise(subject, members, mask):
        weights = [{n: dequantised(leaf) for n, leaf in leaves.items()} for leaves in last.leaves]
        quality = training.evaluate(
            subject.model, stacked(weights), subject.validation, chunk=subject.chunk
        )
        within = [m for m in range(len(members)) if quality.accuracy[m] >= floors[m]]
        chosen |= {m: (last.setting, last.leaves[m]) for m in within if m not in chosen}
        if len(chosen) == len(members):
            break
    assert last is not None, "a quantiser proposes at least once"
    rest = {m: (last.setting, last.leaves[m]) for m in range(len(members)) if m not in chosen}
    return [_file(subject, *{**chosen, **rest}[m]) for m in range(len(members))]


def _file(subject: Subject, setting: float, leaves: Leaves) -> File:
    """Units change places where the network allows it, since that makes a file shorter."""

    def compress() -> tuple[Leaves, bytes]:
        moved = with_units_ordered(leaves, interchangeable(subject.model))
        return moved, encode(moved, effort=subject.config.coding.effort)

    (moved, content), encode_seconds = _timed(compress)
    decoded, decode_seconds = _timed(lambda: decode(content))
    return File(setting, moved, content, decoded, encode_seconds, decode_seconds)


def _baseline(codec: str, weights: Weights) -> File:
    baseline, tensors = WEIGHT_BASELINES[codec], list(weights.values())
    content, encode_seconds = _timed(lambda: baseline.encode(tensors))
    assert content is not None, f"{codec} cannot write finite float32 weights"
    decoded, decode_seconds = _timed(lambda: baseline.decode(content, tensors))
    named = dict(zip(weights, decoded, strict=True))
    return File(None, None, content, named, encode_seconds, decode_seconds)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began
