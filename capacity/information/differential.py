"""Differential entropy of weights, in bits, and what it lacks to that of a Gaussian."""

import math

import numpy as np
from jaxtyping import Float
from scipy import stats

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
    wide = values.astype(np.float64)
    if not np.isfinite(wide).all():
        raise ValueError("NaN or infinite values have no density")
    with np.errstate(divide="ignore"):
        found = float(stats.differential_entropy(wide, base=2))
    if not math.isfinite(found):
        raise ValueError("too many values are equal: their density is infinite")
    return found


def negentropy(values: Float[np.ndarray, " n"], gaussian: Float[np.ndarray, "draws n"]) -> float:
    """Bits by which h lies below that of a Gaussian of the same variance: 0 if it is one.

    log2(deviation) + h(Gaussian values) - log2(their deviation) - h(values), the mean over draws:
    not the closed form (1/2) log2(2 pi e variance), as both terms then have the estimator's bias
    and their difference has little. Hence it may fall below 0 by chance. No change of location or
    scale matters.

    Args:
      gaussian: draws of as many Gaussian values, of any scale.

    Raises:
      ValueError: what `differential_entropy` raises.
    """
    null = [_standardised(draw) for draw in gaussian]
    return float(np.mean(null)) - _standardised(values)


def _standardised(values: Float[np.ndarray, " n"]) -> float:
    found = differential_entropy(values)
    return found - math.log2(float(np.std(values.astype(np.float64))))
