"""The offset and scale through which a network sees stored inputs: (x - offset) * scale."""

import numpy as np
from jaxtyping import Float32, Shaped

INPUTS = ("raw", "unit", "standardised")
ROWS = 512  # read at a time, to bound the memory in float64


def scaling(
    inputs: Shaped[np.ndarray, "n ..."], kind: str, largest: float | None
) -> tuple[Float32[np.ndarray, "..."], Float32[np.ndarray, "..."]]:
    """(offset, scale), each [] or, for images of several channels standardised, [channel].

    Args:
      inputs: [n, ...] the training split, n >= 1.
      kind: "raw" leaves the inputs alone, "unit" divides by `largest`, "standardised" gives each
        channel (or all values of inputs without channels) mean 0 and standard deviation 1.
      largest: the largest possible value; None for inputs drawn with mean 0 and variance 1,
        which every kind leaves alone.
    """
    if kind == "raw" or largest is None:
        return np.asarray(0, np.float32), np.asarray(1, np.float32)
    if kind == "unit":
        return np.asarray(0, np.float32), np.asarray(1 / largest, np.float32)
    mean, deviation = _moments(inputs)
    scale = 1 / np.where(deviation > 0, deviation, 1)
    return np.asarray(mean, np.float32), np.asarray(scale, np.float32)


def _moments(inputs: Shaped[np.ndarray, "n ..."]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation; exact sums for integers, which is why one pass is enough."""
    total, squares = np.zeros((2, *inputs.shape[1:]))
    for start in range(0, len(inputs), ROWS):  # summed over examples first, which is contiguous
        rows = np.asarray(inputs[start : start + ROWS], np.float64)
        total += rows.sum(0)
        squares += np.square(rows).sum(0)
    per_channel = inputs.ndim == 4 and inputs.shape[-1] > 1
    axes = (0, 1) if per_channel else None
    mean = np.asarray(total.mean(axes) / len(inputs))
    variance = squares.mean(axes) / len(inputs) - mean**2
    return mean, np.asarray(np.sqrt(np.maximum(variance, 0)))
