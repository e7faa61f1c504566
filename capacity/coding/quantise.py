"""Uniform scalar quantisation: weights as integer multiples of one step per tensor."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from capacity.coding.errors import UnquantisableTensor

SYMBOL_LIMIT = 2**31 - 1  # |symbol|: symmetric, and int32 holds it


def uniform_symbols(
    weights: Shaped[np.ndarray, "..."], step: float, name: str = "weights"
) -> Int[np.ndarray, "..."]:
    """The integers nearest to weights / step, as int32; ties go to the even one.

    The step is rounded to float32 first, since that is how a file stores it; the division is
    done in float64. |weight - symbol * step| <= step / 2, up to float64 rounding.

    Args:
      weights: [...] any float type.
      step: distance of neighbouring values, in the unit of the weights, > 0.
      name: what to call the tensor in an error.

    Raises:
      UnquantisableTensor: NaN or infinite weights, a step that is no positive float32, a symbol
        beyond int32, or a rounded weight beyond float32.
    """
    exact = _finite(weights, name)
    width = _positive(step, name)
    with np.errstate(over="ignore"):
        nearest = np.asarray(np.rint(exact / width))
    peak = np.max(np.abs(nearest), initial=0.0)
    if peak > SYMBOL_LIMIT:
        raise UnquantisableTensor(
            f"{name}: step {step:g} needs a symbol of magnitude {peak:.0f}: the limit is "
            f"{SYMBOL_LIMIT}, choose a coarser step"
        )
    if peak * width > np.finfo(np.float32).max:
        raise UnquantisableTensor(
            f"{name}: step {step:g} rounds a weight to {peak * width:g}, beyond float32: choose a "
            "finer step"
        )
    return nearest.astype(np.int32)


def dequantised(symbols: Int[np.ndarray, "..."], step: float) -> Float[np.ndarray, "..."]:
    """symbols * step, rounded once to float32: the weights that a decoded file holds."""
    width = np.float64(np.float32(step))
    return np.asarray(symbols * width, dtype=np.float32)


def tensor_step(
    weights: Shaped[np.ndarray, "..."], relative_step: float, name: str = "weights"
) -> float:
    """relative_step times the root mean square of the weights that are not zero.

    The scale of a pruned tensor is that of its survivors: pruning more of it must not make its
    step finer. A tensor without a non-zero weight gets step 1. The result is a float32 value, no
    smaller than the least normal one.

    Args:
      weights: [...] any float type.
      relative_step: step in units of that root mean square, > 0.
      name: what to call the tensor in an error.

    Raises:
      UnquantisableTensor: NaN or infinite weights, or a step that is no positive float32.
    """
    exact = _finite(weights, name)
    peak = np.max(np.abs(exact), initial=0.0)
    if peak == 0:
        return 1.0
    survivors = exact[exact != 0] / peak  # scaled, so that no square under- or overflows
    step = _positive(relative_step, name) * peak * np.sqrt(np.mean(survivors**2))
    return float(_positive(max(step, float(np.finfo(np.float32).tiny)), name))


def _finite(weights: Shaped[np.ndarray, "..."], name: str) -> Float[np.ndarray, "..."]:
    exact = np.asarray(weights, dtype=np.float64)
    wrong = exact.size - np.count_nonzero(np.isfinite(exact))
    if wrong:
        raise UnquantisableTensor(
            f"{name}: {wrong} of {exact.size} weights are NaN or infinite: only finite weights "
            "can be stored"
        )
    return exact


def _positive(step: float, name: str) -> np.float64:
    with np.errstate(over="ignore", under="ignore"):
        width = np.float64(np.float32(step))
    if not (np.isfinite(width) and width > 0):
        raise UnquantisableTensor(f"{name}: step {step:g}: must be a positive, finite float32")
    return width
