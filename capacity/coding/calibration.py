"""Second moments of what flows through a layer: what a data-aware quantiser knows of the data."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


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
