"""A data set by its name and options: the one door of this room."""

import functools
import inspect
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from capacity.caches import cache_folder
from capacity.data import splits
from capacity.data.archive import archive
from capacity.data.content import content
from capacity.data.dataset import DataError, Dataset, Source, Split
from capacity.data.digits import digits
from capacity.data.gaussian import gaussian
from capacity.data.noise import channel_entropy, noisy_labels
from capacity.data.options import check_choice, check_whole
from capacity.data.scaling import INPUTS, scaling
from capacity.data.splits import carve, keep_classes
from capacity.data.teacher import teacher

# A new embedded data set: a function (seed, *, its options) -> Source in a file, and a line here.
EMBEDDED: dict[str, Callable[..., Source]] = {
    "digits": digits,
    "gaussian": gaussian,
    "teacher": teacher,
}
LEAST = {"size": 2, "dimension": 1, "class_count": 2}


def load(
    name: str,
    *,
    train_size: int | None = None,
    validation_size: float | int = 0.1,
    label_noise: float | int = 0.0,
    label_noise_kind: str = "flipped",
    classes: Sequence[int] | None = None,
    inputs: str = "unit",
    seed: int = 0,
    size: int | None = None,
    dimension: int | None = None,
    class_count: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Dataset:
    """The data set `name`, cut into three disjoint splits.

    Args:
      name: "digits", "gaussian", "teacher", or any TFDS set of labelled images of one size, as
        "mnist", "set/config" or "set:version".
      train_size: training examples; None for all that validation leaves. Of the same set and
        seed, a smaller split is the beginning of a larger one.
      validation_size: held out of the training split; a share if below 1, otherwise a count.
      label_noise: probability with which a training or validation label is replaced, in [0, 1].
        Test labels stay clean. Of the same set and seed, the examples replaced at a lower rate are
        among those replaced at a higher one, and neither size changes which they are.
      label_noise_kind: "flipped", to a uniformly drawn other class, or "resampled", to a uniformly
        drawn class that may be the same.
      classes: labels to keep, which become 0, 1, ... in this order; None for all.
      inputs: "raw", "unit" (0 to 1) or "standardised" (by the mean and standard deviation of the
        training split, per channel where there are several); it sets offset and scale only.
        Gaussian inputs are left alone by all three.
      seed: of the validation split, the label noise and the synthetic examples, each of which is
        a stream of its own.
      size, dimension, class_count: of "gaussian" and "teacher" only: training examples with those
        for validation (2048), input dimension (20), classes (10).
      cache_dir: of decoded sets; None for CAPACITY_CACHE_DIR, or else ~/.cache/capacity.

    Raises:
      DataError: if an option is out of its range, or the set is unknown or out of reach.
    """
    check_whole("seed", seed, 0)
    check_choice("inputs", inputs, INPUTS)
    channel_entropy(label_noise, 2, label_noise_kind)  # refuses a wrong rate or kind before reading
    options = {"size": size, "dimension": dimension, "class_count": class_count}
    source = keep_classes(_source(name, seed, options, cache_dir), classes, name)
    noise = source.class_count, label_noise, label_noise_kind, seed
    labels = noisy_labels(source.train.labels, *noise)
    test_labels = noisy_labels(source.test.labels, *noise, of="test labels")
    train, validation = carve(
        Split(source.train.inputs, labels), train_size, validation_size, seed, name
    )
    offset, scale = scaling(train.inputs, inputs, source.largest)
    return Dataset(
        name=name,
        train=train,
        validation=validation,
        test=source.test,
        noisy_test=source.test._replace(labels=test_labels),
        class_count=source.class_count,
        offset=offset,
        scale=scale,
        conditional_entropy=_conditional_entropy(source, label_noise, label_noise_kind),
        noise=_noise(source, label_noise, label_noise_kind),
        fingerprint=content(*train)[:16],
    )


def forget() -> None:
    """Lets go of what is kept for the next trial: for a process that runs none."""
    _made.cache_clear()
    splits.forget()


def _source(
    name: str,
    seed: int,
    options: dict[str, int | None],
    cache_dir: str | os.PathLike[str] | None,
) -> Source:
    make = EMBEDDED.get(name)
    accepted = inspect.signature(make).parameters if make else ()
    given = {option: value for option, value in options.items() if value is not None}
    for option, value in given.items():
        if option not in accepted:
            raise DataError(
                f"data.{option} = {value!r}: is only for 'gaussian' and 'teacher'; {name!r} has "
                "examples of its own, among which data.train_size and data.classes choose"
            )
        check_whole(option, value, LEAST[option])
    if make is None:
        folder = cache_folder() if cache_dir is None else Path(cache_dir).expanduser()
        return archive(name, folder)
    try:
        return _made(name, seed, **given)
    except MemoryError as error:
        wanted = ", ".join(f"data.{option} = {value}" for option, value in given.items())
        raise DataError(f"{wanted}: does not fit into memory, so make it smaller") from error


@functools.lru_cache(maxsize=1)
def _made(name: str, seed: int, **given: int) -> Source:
    """Drawn once for all trials that ask for it."""
    source = EMBEDDED[name](seed, **given)
    for array in (*source.train, *source.test):
        array.flags.writeable = False
    return source


def _conditional_entropy(source: Source, rate: float | int, kind: str) -> float | None:
    if source.labels_given_inputs == "uniform":  # and noise leaves uniform labels uniform
        return math.log2(source.class_count)
    if source.labels_given_inputs is None and rate == 0:
        return None
    return channel_entropy(rate, source.class_count, kind)


def _noise(source: Source, rate: float | int, kind: str) -> str:
    if source.labels_given_inputs == "uniform":
        return "labels are uniform and independent of the inputs"
    if rate == 0:
        known = source.labels_given_inputs == "deterministic"
        return "labels are a function of the inputs" if known else "unknown: no noise was injected"
    among = "flipped to another class" if kind == "flipped" else "resampled from all classes"
    return f"a share of {rate:g} of the labels {among}"
