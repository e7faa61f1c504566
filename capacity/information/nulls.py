"""What an entropy of weights would be without training: the initial weights, and a Gaussian."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from capacity.information.entropy import symbol_entropy

STEP = 0.25  # of the standard deviation
_SAMPLES = 1 << 14  # of Gaussian values, at least: their entropy then errs by 0.01 bit at most
_DRAWS = 16  # at most, and so more error for tensors below 1024 weights


class Against(NamedTuple):
    """A measure of trained values in bits per weight, and how far it lies above its nulls.

    Attributes:
      over_initial: above that of the values before training.
      over_gaussian: above that of Gaussian values of the same number, mean and deviation.
      over_pruned: above that of what is left of more Gaussian values when the smallest are pruned.
    """

    value: float
    over_initial: float
    over_gaussian: float
    over_pruned: float


Values = Float[np.ndarray, " n"]


def against(
    measures: Callable[[Values], Mapping[str, float]],
    trained: Values,
    initial: Values,
    gaussian: Float[np.ndarray, "draws n"],
    pruned: Float[np.ndarray, "draws n"],
) -> dict[str, Against]:
    """Each of `measures` of trained values, and by how much it exceeds that of each null.

    The bias of an estimator depends on the number of values and little on their law: as all have
    the same number, most of it cancels in the differences. Over Gaussian draws the mean is taken;
    of a dense tensor both kinds may be the same array, which is measured once.
    """
    found, before = measures(trained), measures(initial)
    nulls = [measures(draw) for draw in gaussian]
    sparse = nulls if pruned is gaussian else [measures(draw) for draw in pruned]
    return {
        name: Against(
            value=value,
            over_initial=value - before[name],
            over_gaussian=value - float(np.mean([null[name] for null in nulls])),
            over_pruned=value - float(np.mean([null[name] for null in sparse])),
        )
        for name, value in found.items()
    }


def gaussian_like(
    trained: Values, seed: int = 0, density: float = 1.0
) -> Float[np.ndarray, "draws n"]:
    """Gaussian float32 values with exactly the mean and the standard deviation of `trained`.

    Below a `density` of 1 they are the largest of n / density values: what pruning by magnitude
    leaves of a Gaussian has a gap around 0, which is no merit of a pruned network.

    The same normal numbers for every tensor of n values. Several draws of small tensors, 16 of
    those of at most 1024 values: the mean over them is less of an accident.

    Raises:
      ValueError: fewer than two values, NaN or infinite ones, or all of them equal.
    """
    mean, deviation = _moments(trained)
    draws = max(1, min(_DRAWS, _SAMPLES // trained.size))
    more = max(trained.size, round(trained.size / density))
    normal = np.random.default_rng(seed).normal(size=(draws, more))
    if more > trained.size:
        pruned = np.argpartition(np.abs(normal), more - trained.size, axis=1)[
            :, more - trained.size :
        ]
        normal = np.take_along_axis(normal, np.sort(pruned, axis=1), axis=1)
    normal -= normal.mean(axis=1, keepdims=True)
    normal /= normal.std(axis=1, keepdims=True)
    return (mean + deviation * normal).astype(np.float32)


def plain_entropy(values: Values, step: float) -> float:
    """Plug-in entropy, in bits per weight, of values rounded to the nearest multiples of `step`.

    Raises:
      ValueError: no values.
    """
    return symbol_entropy(np.rint(values.astype(np.float64) / step))


def plain_step(trained: Values) -> float:
    """A quarter of the standard deviation of the trained values: the step for them and their nulls.

    One rule for all networks, and not the step of a compressed file: that one is chosen by the
    accuracy, differs from codec to codec or does not exist, and the coarser it is the less any two
    laws differ. At a quarter the entropy of a Gaussian is 4.05 bits, 0.004 above what its
    differential entropy says: finer steps add the same bits to all and move no difference. The
    values before training are rounded to the step of the trained ones, not to one of their own:
    the growth of the weights is something that they have learnt, and counts. Against the Gaussian,
    which has grown with them, their shape alone counts.

    Raises:
      ValueError: fewer than two values, NaN or infinite ones, or all of them equal.
    """
    return STEP * _moments(trained)[1]


def _moments(values: Values) -> tuple[float, float]:
    if values.size < 2:
        raise ValueError(f"{values.size} values: at least two are needed for a scale")
    wide = values.astype(np.float64)
    if not np.isfinite(wide).all():
        raise ValueError("NaN or infinite values have no entropy")
    deviation = float(np.std(wide))
    if deviation <= np.finfo(np.float32).eps * np.abs(wide).max():
        raise ValueError("all values are equal: they have no scale to be compared at")
    return float(np.mean(wide)), deviation
