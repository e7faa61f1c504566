"""Bits of the parameters themselves: stored at a precision, and free of the softmax's symmetry."""

from collections.abc import Iterable, Sequence

import numpy as np

PRECISIONS = {"float32": 32, "bfloat16": 16, "float16": 16, "int8": 8, "int4": 4}
"""Bits of one number."""


def parameter_bits(count: int) -> dict[str, int]:
    """Bits of `count` parameters at each precision: no network can hold more at that precision.

    An upper bound on what a network holds, exact as a size: a file of those numbers and nothing
    else is as long. One parameter is 32 bits in float32 and 4 bits in int4.
    """
    return {precision: bits * count for precision, bits in PRECISIONS.items()}


def effective_parameters(parameters: Sequence[int], class_count: int) -> int:
    """Parameters that a softmax over `class_count` classes can tell apart.

    Adding one and the same affine map of the last hidden layer to all K logits changes no
    probability, so that (K - 1) / K of the last layer's parameters are effective; one for two in
    logistic regression written as a softmax of two. Scales that a ReLU passes on are symmetries
    too and are not taken off.

    Args:
      parameters: of each layer, bias included, input side first.
      class_count: K, which divides the last layer's parameters.
    """
    return sum(parameters) - parameters[-1] // class_count


def configuration_bits(choices: Iterable[int]) -> float:
    """Bits that name one configuration of a grid with so many choices along each axis.

    Exact under the uniform code over the grid: the sum of log2 of the choices. Whoever reports the
    best of a sweep has chosen it by that many bits, to be charged once.
    """
    return float(sum(np.log2(count) for count in choices))
