"""Layers and the second moments of what flows through them: what a quantiser knows of the data."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Layer(NamedTuple):
    """An affine layer, and how it is to be quantised.

    Attributes:
      kernel: its tensor, [..., out]; all axes but the last are inputs.
      bias: its tensor, [out], or None.
      step: of the kernel; None for the one of smallest loss + rate_weight * bits.
      stride: inputs per row of an image, for the prices of integers; 0 for none.
    """

    kernel: str
    bias: str | None
    step: float | None = None
    stride: int = 0


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
