"""Differential entropy of weights, in bits, and what it lacks to that of a Gaussian."""

import functools
import math

import numpy as np
from jaxtyping import Float

from capacity.information.nulls import gaussian_like

_LEAST = 8  # the estimator's spacings span a window of about the root of n on either side


def differential_entropy(values: Float[np.ndarray, " n"]) -> float:
    """Differential entropy h, in bits, from the spacings of the sorted values (Vasicek, 1976).

    `scipy.stats.differential_entropy`, which takes Van Es' (1992) correction up to 10 values and
    Ebrahimi's (1994) up to 1000. It is biased low where they are few: of Gaussian values by 0.35
    bits for 10 of them, 0.08 for 64 and by less than 0.02 from 250 on. May be negative: h -
    log2(step) are the bits of a value at a small step.

    Raises:
      ValueError: fewer than eight values, NaN or infinite ones, or so many equal ones that the
        density is infinite there, as before training where all biases are 0.
    """
    if values.size < _LEAST:
        raise ValueError(f"{values.size} values: a density needs {_LEAST} or more")
    # Takes a second to import, which a process that only plans need not spend.
    from scipy import stats  # noqa: PLC0415

    wide = values.astype(np.float64)
    if not np.isfinite(wide).all():
        raise ValueError("NaN or infinite values have no density")
    with np.errstate(divide="ignore"):
        found = float(stats.differential_entropy(wide, base=2))
    if not math.isfinite(found):
        raise ValueError("too many values are equal: their density is infinite")
    return found


def negentropy(values: Float[np.ndarray, " n"], entropy: float | None = None) -> float:
    """Bits by which h lies below that of a Gaussian of the same variance: 0 if it is one.

    log2(deviation) - h(values) + the mean of h - log2(deviation) over draws of as many Gaussian
    values. Not the closed form (1/2) log2(2 pi e) in place of that mean: so both terms have the
    estimator's bias, and their difference has little. Hence it may fall below 0 by chance. No
    change of location or scale matters.

    Args:
      entropy: `differential_entropy(values)`, of whoever has it already.

    Raises:
      ValueError: what `differential_entropy` raises.
    """
    return _gaussian(values.size) - _standardised(values, entropy)


@functools.cache
def _gaussian(count: int) -> float:
    """The estimate of a standard normal law from `count` values, a mean over the null's draws."""
    ends = np.linspace(-1, 1, count)
    return float(np.mean([_standardised(draw) for draw in gaussian_like(ends)]))


def _standardised(values: Float[np.ndarray, " n"], entropy: float | None = None) -> float:
    found = differential_entropy(values) if entropy is None else entropy
    return found - math.log2(float(np.std(values.astype(np.float64))))
