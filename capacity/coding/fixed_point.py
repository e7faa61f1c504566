"""Binary logarithms and powers in integers: what a decoder computes is the same on every machine.

Numbers are int64 with FRACTION bits behind the binary point. Floating-point libraries differ in
the last bit of log and exp, and one such bit in a probability turns all symbols after it to
garbage.
"""

from math import isqrt

import numpy as np
from jaxtyping import Int

FRACTION = 24
ONE = 1 << FRACTION
_MANTISSA = 30  # bits behind the point of a number in [1, 2)


def _roots() -> list[int]:
    """2^(1/2), 2^(1/4), ..., 2^(2^-FRACTION), each rounded down once from 60 bits."""
    root, roots = 2 << 60, []
    for _ in range(FRACTION):
        root = isqrt(root << 60)
        roots.append(root >> 60 - _MANTISSA)
    return roots


_ROOTS = _roots()


def log2(values: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Binary logarithm of integers from 1 to 2^31 - 1, rounded down; 3 -> 1.58496250 * ONE.

    Bit by bit: squaring a number in [1, 2) doubles its logarithm, whose next bit is whether the
    square is 2 or more.
    """
    whole = np.frexp(values.astype(np.float64))[1].astype(np.int64) - 1  # exact, no logarithm
    mantissa = (values.astype(np.int64) << 31 - whole).astype(np.uint64)
    result = whole
    for _ in range(FRACTION):
        mantissa = mantissa * mantissa >> np.uint64(31)
        bit = mantissa >> np.uint64(32)
        mantissa >>= bit
        result = result << 1 | bit.astype(np.int64)
    return result


def exp2(values: Int[np.ndarray, " n"], point: int) -> Int[np.ndarray, " n"]:
    """2 to the power of `values`, with `point` bits behind the point; rounded down.

    The power must be below 2^(62 - point). Off by less than 1e-7 of itself before it is rounded.
    """
    mantissa = np.full(values.shape, 1 << _MANTISSA, np.int64)
    for place, root in enumerate(_ROOTS, start=1):
        factor = np.where(values >> FRACTION - place & 1, root, 1 << _MANTISSA)
        mantissa = mantissa * factor >> _MANTISSA
    shift = (values >> FRACTION) + point - _MANTISSA
    return np.where(
        shift >= 0, mantissa << np.maximum(shift, 0), mantissa >> np.clip(-shift, 0, 63)
    )
