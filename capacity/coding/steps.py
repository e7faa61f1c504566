"""How wide a tensor's quantisation step is, by the scale of its weights or by an error."""

import ml_dtypes
import numpy as np
from jaxtyping import Shaped

from capacity.coding.blocks import blocks
from capacity.coding.errors import UnquantisableTensor
from capacity.coding.quantise import float32_step, peak_magnitude


def tensor_step(
    weights: Shaped[np.ndarray, "..."], relative_step: float, name: str = "weights"
) -> float:
    """relative_step times the root mean square of the weights that are not zero.

    The scale of a pruned tensor is that of its survivors: pruning more of it must not make its
    step finer. A tensor without a non-zero weight gets step 1. The result is rounded to eight
    significant bits, with which it takes two bytes in a file and not four, and is no smaller than
    the least normal float32.

    Args:
      weights: [...] any real type.
      relative_step: step in units of that root mean square, > 0.
      name: what to call the tensor in an error.

    Raises:
      UnquantisableTensor: NaN or infinite weights, or a step that is no positive float32.
    """
    relative, peak = float32_step(relative_step, name), peak_magnitude(weights, name)
    if peak == 0:
        return 1.0
    flat, total = weights.ravel(), 0.0
    for part in blocks(flat.size):
        total += float(np.sum((flat[part].astype(np.float64) / peak) ** 2))  # no square overflows
    step = relative * peak * np.sqrt(total / np.count_nonzero(flat))
    return short_step(float(float32_step(max(step, np.finfo(np.float32).tiny), name)))


def short_step(step: float) -> float:
    """The step of eight significant bits that is nearest: it takes two bytes less in a file."""
    with np.errstate(over="ignore"):
        short = float(np.float32(step).astype(ml_dtypes.bfloat16))
    return short if np.isfinite(short) else float(ml_dtypes.finfo("bfloat16").max)


def error_step(weights: Shaped[np.ndarray, "..."], error: float, name: str = "weights") -> float:
    """The coarsest step of eight significant bits whose relative error is at most `error`.

    The relative error is the root mean square of (weight - nearest multiple of the step) over that
    of the weights. It is measured, step by step of a bisection; where a coarser step happens to
    have a smaller error again, that one is not found. A tensor without a non-zero weight gets
    step 1.

    Args:
      weights: [...] any real type.
      error: > 0.
      name: what to call the tensor in an error.

    Raises:
      UnquantisableTensor: NaN or infinite weights, or no step is fine enough.
    """
    peak = peak_magnitude(weights, name)
    if peak == 0:
        return 1.0
    # Positive floats are ordered as their bits are.
    fine = int(np.array(ml_dtypes.finfo("bfloat16").tiny).view(np.uint16))
    coarse = int(np.array(4 * peak).astype(ml_dtypes.bfloat16).view(np.uint16))
    fine = max(fine, coarse - (32 << 7))  # symbols below 2^31
    while coarse - fine > 1:
        middle = (fine + coarse) // 2
        fits = _relative_error(weights, _step_of_bits(middle), peak) <= error
        fine, coarse = (middle, coarse) if fits else (fine, middle)
    if _relative_error(weights, _step_of_bits(fine), peak) > error:
        raise UnquantisableTensor(f"{name}: no step has a relative error as small as {error:g}")
    return _step_of_bits(fine)


def _step_of_bits(bits: int) -> float:
    return float(np.array(bits, np.uint16).view(ml_dtypes.bfloat16))


def _relative_error(weights: Shaped[np.ndarray, "..."], step: float, peak: float) -> float:
    flat, lost, whole = weights.ravel(), 0.0, 0.0
    for part in blocks(flat.size):
        exact = flat[part].astype(np.float64)
        lost += float(np.sum(((exact - np.rint(exact / step) * step) / peak) ** 2))
        whole += float(np.sum((exact / peak) ** 2))
    return float(np.sqrt(lost / whole))
