"""Entropy of the parts of a float32: sign, exponent and mantissa."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import entr

from capacity.information.entropy import plugin_entropy

_MANTISSA = 23


class FloatFields(NamedTuple):
    """Bits per weight, plug-in.

    Attributes:
      sign: at most 1.
      exponent: of the eight bits together. Of a Gaussian around 0, 2.54 or 2.55 whatever its
        deviation, which is nearly all that a trained network shows: compare with a null.
      mantissa: the sum over its 23 bits of the entropy of each. The 2^23 mantissas are too many to
        be counted together; what the bits say of one another is left out, so that it is no less
        than theirs together would be.
    """

    sign: float
    exponent: float
    mantissa: float


def float_fields(values: Float[np.ndarray, " n"]) -> FloatFields:
    """The fields' entropies over all values, 0 and -0.0 included.

    Raises:
      ValueError: no values, or values of another type than float32.
    """
    if values.dtype != np.float32:
        raise ValueError(f"values are {values.dtype}: only float32 has these fields")
    words = np.ascontiguousarray(values).view(np.uint32)
    bits = np.unpackbits(words.astype(">u4").view(np.uint8).reshape(-1, 4), axis=1)
    exponents = np.bincount((words >> _MANTISSA) & 255, minlength=256)
    exponent = plugin_entropy(exponents)  # raises where there are no values
    share = np.sum(bits, axis=0, dtype=np.int64) / words.size
    entropies = (entr(share) + entr(1 - share)) / math.log(2)
    return FloatFields(float(entropies[0]), exponent, float(np.sum(entropies[-_MANTISSA:])))
