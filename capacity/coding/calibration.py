"""Second moments of what flows into a layer: what a data-aware quantiser knows about the data."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

_BLOCK = 2**24  # entries of a matrix of patches that are held at a time


class Moments(NamedTuple):
    """A layer's calibration data, in numbers whose size does not grow with them.

    Attributes:
      inputs: [in, in] mean of x x' over samples and, in a convolution, places.
      mean: [in] mean of x.
      gradients: [out, out] mean over samples of g g', summed over places, where g are gradients of
        the loss by the layer's outputs before the non-linearity; None for the identity.
      places: of a convolution's output per sample; 1 of a dense layer.
    """

    inputs: Float[np.ndarray, "in in"]
    mean: Float[np.ndarray, " in"]
    gradients: Float[np.ndarray, "out out"] | None = None
    places: int = 1


def dense_moments(inputs: Shaped[np.ndarray, "samples in"]) -> Moments:
    """Of the inputs of a dense layer; convolutions use `patch_moments`."""
    flat = np.asarray(inputs, np.float32)
    return Moments((flat.T @ flat).astype(np.float64) / len(flat), flat.mean(0, np.float64))


def patch_moments(
    images: Shaped[np.ndarray, "samples height width channels"],
    kernel: tuple[int, int],
    *,
    strides: tuple[int, int] = (1, 1),
    padding: str = "SAME",
) -> Moments:
    """Of the patches that a convolution reads, as [height * width * channels] of its kernel.

    That is the order of an HWIO kernel reshaped to [-1, out].

    Args:
      images: [samples, height, width, channels] inputs of the convolution.
      kernel: its height and width.
      strides: along height and width.
      padding: SAME or VALID, as in `jax.lax`.
    """
    inner = total = places = 0
    size = int(np.prod(images.shape[1:])) * kernel[0] * kernel[1]
    batch = max(1, _BLOCK // max(size, 1))
    for start in range(0, len(images), batch):
        flat = patches(images[start : start + batch], kernel, strides=strides, padding=padding)
        inner = inner + (flat.T @ flat).astype(np.float64)
        total = total + flat.sum(0, np.float64)
        places += len(flat)
    mean = np.asarray(total) / places
    return Moments(np.asarray(inner) / places, mean, places=places // len(images))


def patches(
    images: Shaped[np.ndarray, "samples height width channels"],
    kernel: tuple[int, int],
    *,
    strides: tuple[int, int] = (1, 1),
    padding: str = "SAME",
) -> Float[np.ndarray, "places in"]:
    """Every patch that a convolution reads as a row, in float32."""
    around = [(0, 0)] * 4
    if padding == "SAME":
        for axis in (0, 1):
            wanted = -(-images.shape[1 + axis] // strides[axis])
            missing = (wanted - 1) * strides[axis] + kernel[axis] - images.shape[1 + axis]
            around[1 + axis] = (max(missing, 0) // 2, max(missing, 0) - max(missing, 0) // 2)
    padded = np.pad(np.asarray(images, np.float32), around)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    windows = windows[:, :: strides[0], :: strides[1]].transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(-1, kernel[0] * kernel[1] * images.shape[3])
