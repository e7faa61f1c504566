"""The shortest result within a tolerance, along a dial that trades size for quality."""

import math
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def coarsest_within(
    make: Callable[[float], T],
    loss: Callable[[T], float],
    tolerance: float,
    low: float,
    high: float,
    trials: int = 8,
) -> tuple[float, T] | None:
    """The largest dial found whose result has a loss of at most `tolerance`, and that result.

    A bisection of the dial's logarithm: exact to a factor of (high / low)^(2^-trials) where the
    loss rises with the dial, and within the tolerance in any case. None where not even `low` is.

    Args:
      make: a result from a dial, as a quantised network from a `rate_weight`.
      loss: of a result, on data that the result was not made from and that is no test data.
      tolerance: the largest loss that will do.
      low: the finest dial, > 0.
      high: the coarsest.
      trials: results made beyond those of `low` and `high`.
    """
    best = make(low)
    if not loss(best) <= tolerance:
        return None
    coarse = make(high)
    if loss(coarse) <= tolerance:
        return high, coarse
    for _ in range(trials):
        middle = math.sqrt(low * high)
        result = make(middle)
        if loss(result) <= tolerance:
            low, best = middle, result
        else:
            high = middle
    return low, best
