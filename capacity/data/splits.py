"""Which examples go where: classes kept, validation carved out, smaller sets nested in larger."""

import functools
from collections.abc import Sequence

import numpy as np

from capacity.data.dataset import DataError, Source, Split
from capacity.data.options import check_whole
from capacity.data.streams import stream


def keep_classes(source: Source, classes: Sequence[int] | None, name: str) -> Source:
    """`source` with the given classes only, relabelled 0, 1, ... in the given order.

    Raises:
      DataError: if fewer than two classes are left, or one is named twice or does not exist.
    """
    if classes is not None:
        if not isinstance(classes, Sequence) or isinstance(classes, str):
            raise DataError(f"data.classes = {classes}: must be a list, as [3, 5]")
        classes = list(classes)
        for label in classes:
            if check_whole("classes", label, 0) >= source.class_count:
                raise DataError(
                    f"data.classes = {classes}: {name} has no class {label}, only 0 to "
                    f"{source.class_count - 1}"
                )
        if len(set(classes)) < len(classes):
            raise DataError(f"data.classes = {classes}: a class must not be named twice")
        if len(classes) < 2:
            raise DataError(f"data.classes = {classes}: must name at least two classes")
        source = source._replace(
            train=_relabelled(source.train, classes, source.class_count),
            test=_relabelled(source.test, classes, source.class_count),
            class_count=len(classes),
        )
    present = len(np.unique(source.train.labels))
    if present < 2:
        of = f" of the classes {classes}" if classes is not None else ""
        raise DataError(
            f"data.name = {name!r}: its training examples{of} have {present} label(s) where at "
            "least two are needed, so choose another set, a larger one or other classes"
        )
    return source


def carve(
    train: Split, train_size: int | None, validation_size: float | int, seed: int, name: str
) -> tuple[Split, Split]:
    """(training, validation) splits, both in the order of one seeded permutation.

    The first examples of the permutation are the validation split; the training split begins right
    after them, so that one of 100 examples is the beginning of one of 1000.

    Args:
      train: the examples to share out.
      train_size: examples to train on; None for all that remain.
      validation_size: a share of `train` if below 1 (a share above 0 is at least one example),
        otherwise a count.
      seed: of the named stream "validation".
      name: of the data set, for messages.

    Raises:
      DataError: if the sizes are no sizes, or ask for more examples than there are.
    """
    total = len(train.labels)
    held_out = _validation_count(validation_size, total)
    remaining = total - held_out
    if remaining < 1:
        raise DataError(
            f"data.validation_size = {validation_size!r}: leaves none of the {total} training "
            f"examples of {name} to train on, so take fewer"
        )
    kept = remaining if train_size is None else check_whole("train_size", train_size, 1)
    if kept > remaining:
        raise DataError(
            f"data.train_size = {kept}: {name} has only {remaining} training examples after "
            f"{held_out} for validation"
        )
    order = _order(total, seed)
    chosen, validation = order[held_out : held_out + kept], order[:held_out]
    inputs = _carved(_Same(train.inputs), held_out, kept, seed)
    return Split(inputs[0], train.labels[chosen]), Split(inputs[1], train.labels[validation])


def _order(total: int, seed: int) -> np.ndarray:
    return stream(seed, "validation").permutation(total)


class _Same:
    """An array as a key: equal to itself alone."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.array is other.array

    def __hash__(self) -> int:
        return id(self.array)


@functools.lru_cache(maxsize=1)
def _carved(inputs: _Same, held_out: int, kept: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs to train and to validate on: one copy for trials whose labels alone differ."""
    order = _order(len(inputs.array), seed)
    parts = inputs.array[order[held_out : held_out + kept]], inputs.array[order[:held_out]]
    for part in parts:
        part.flags.writeable = False
    return parts


def forget() -> None:
    """Lets go of the copies that are kept for the next trial."""
    _kept.cache_clear()
    _carved.cache_clear()


def _validation_count(validation_size: float | int, total: int) -> int:
    share = isinstance(validation_size, float) and 0 < validation_size < 1
    if share:
        return max(1, round(validation_size * total))
    whole = isinstance(validation_size, float) and validation_size.is_integer()
    count = int(validation_size) if whole else validation_size
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise DataError(
            f"data.validation_size = {validation_size!r}: must be a share from 0 up to 1 or a "
            "whole number of examples"
        )
    return count


def _relabelled(split: Split, classes: list[int], class_count: int) -> Split:
    return _kept(_Same(split.inputs), _Same(split.labels), tuple(classes), class_count)


@functools.lru_cache(maxsize=2)  # to train on, and to test
def _kept(inputs: _Same, labels: _Same, classes: tuple[int, ...], class_count: int) -> Split:
    table = np.full(class_count, -1, np.int32)
    table[list(classes)] = np.arange(len(classes), dtype=np.int32)
    of = table[labels.array]
    kept = np.flatnonzero(of >= 0)
    found = Split(inputs.array[kept], of[kept])
    for array in found:
        array.flags.writeable = False
    return found
