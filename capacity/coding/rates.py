"""What each integer of a matrix would cost in bits, from the others: a guide for quantisers.

A stand-in for the coder while the integers are still being chosen. It sees both sides of a weight,
where a decoder sees one: the bits that change with one weight are the weight's own and those of
what is coded after it, and a model conditioned on all the others has both. Files are written by
the codecs; no number from here is a size.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

REACH = 4  # magnitudes with a price of their own
_SAMPLE = 2**17  # weights that a fit looks at
_ROUNDS = 12  # of Newton's method; it takes four to eight
_RIDGE = 1.0  # strength of the Gaussian prior: as much as one observation or so
_PRIOR = 3.0  # weights of the tensor's own density that a row or a column starts from


class Rates(NamedTuple):
    """Prices of integers.

    Attributes:
      bits: [in, out, 2 REACH + 1] of each integer from -REACH to REACH in each place.
      tail: bits that each further unit of magnitude costs.
    """

    bits: Float[np.ndarray, "in out levels"]
    tail: float


def two_sided_rates(symbols: Int[np.ndarray, "in out"], stride: int = 0) -> Rates:
    """Prices from each weight's row and column, without itself, and from its neighbours.

    Logistic regressions of one decision after the other, as the codecs have them: zero or not, the
    sign, then magnitude by magnitude. Their inputs are the densities of the input's and the
    output's other weights, what magnitude the two lead one to expect, and magnitudes and signs of
    the two neighbours along the inputs and of the two a stride away.

    Args:
      symbols: [in, out] of a layer.
      stride: inputs per row of an image; 0 where the inputs have one axis.
    """
    size, common, signs = symbols.size, _context(symbols, stride), _signs(symbols, stride)
    flat = symbols.ravel()
    magnitude = np.abs(flat)
    bits = np.empty((size, 2 * REACH + 1), np.float32)
    odds = common @ _fitted(common, magnitude > 0)
    bits[:, REACH] = _bits(-odds)
    kept = magnitude > 0
    positive = signs @ _fitted(signs[kept], flat[kept] > 0)
    up, down = _bits(odds) + _bits(positive), _bits(odds) + _bits(-positive)
    for level in range(1, REACH + 1):
        reached = magnitude >= level
        beyond = common @ _fitted(common[reached], magnitude[reached] > level)
        bits[:, REACH + level] = up + _bits(-beyond)
        bits[:, REACH - level] = down + _bits(-beyond)
        up += _bits(beyond)
        down += _bits(beyond)
    # Past the table a geometric law: m units in all over k weights there.
    past = magnitude[magnitude > REACH] - REACH
    tail = -np.log2(1 - (past.size + 1) / (past.sum() + 2))
    return Rates(bits.reshape(*symbols.shape, -1), float(tail))


def prices(symbols: Int[np.ndarray, "in out"], rates: Rates) -> Float[np.ndarray, "in out"]:
    """The bits of each integer in its place."""
    inside = np.clip(symbols, -REACH, REACH)
    bits = np.take_along_axis(rates.bits, inside[..., None].astype(np.int64) + REACH, axis=2)
    return bits[..., 0] + rates.tail * np.abs(symbols - inside)


def _context(symbols: Int[np.ndarray, "in out"], stride: int) -> Float[np.ndarray, "weights k"]:
    magnitude = np.abs(symbols).astype(np.float64)
    kept = np.minimum(magnitude, 1)
    by_input, by_output = _others(kept, 1), _others(kept, 0)
    expected = _others(magnitude, 1) * _others(magnitude, 0) / _overall(magnitude)
    beside, apart = (np.minimum(_neighbours(magnitude, s), 4) for s in (1, stride))
    columns = (
        np.ones_like(kept),
        np.log(by_input / (1 - by_input)),
        np.log(by_output / (1 - by_output)),
        np.log(expected),
        beside,
        apart,
        beside > 0,
        apart > 0,
    )
    return np.stack([column.ravel() for column in columns], axis=1)


def _signs(symbols: Int[np.ndarray, "in out"], stride: int) -> Float[np.ndarray, "weights k"]:
    signs = np.sign(symbols).astype(np.float64)
    return np.stack([_neighbours(signs, s).ravel() for s in (1, stride)], axis=1)


def _overall(values: Float[np.ndarray, "in out"]) -> float:
    """The mean, a little more than 0 and, of zeros and ones, a little less than 1."""
    return (float(values.sum()) + 0.4) / (values.size + 1)


def _others(values: Float[np.ndarray, "in out"], axis: int) -> Float[np.ndarray, "in out"]:
    """Mean along an axis of all but each itself, drawn to the overall mean."""
    rest = values.sum(axis=axis, keepdims=True) - values
    return (rest + _PRIOR * _overall(values)) / (values.shape[axis] - 1 + _PRIOR)


def _neighbours(values: Float[np.ndarray, "in out"], stride: int) -> Float[np.ndarray, "in out"]:
    """Sum of the two values that lie a stride away along the inputs; 0 outside."""
    total = np.zeros_like(values)
    if 0 < stride < len(values):
        total[stride:] += values[:-stride]
        total[:-stride] += values[stride:]
    return total


def _bits(odds: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Bits of what has these log-odds, in nats."""
    return np.logaddexp(0, -odds) / np.log(2)


def _fitted(
    inputs: Float[np.ndarray, "n k"], outcome: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " k"]:
    """Logistic regression by Newton's method, a step halved until it does not hurt.

    Of no observations all log-odds are 0. Many are thinned to about _SAMPLE at an odd distance, so
    that they don't come from a few columns.
    """
    if not len(inputs):
        return np.zeros(inputs.shape[1])
    every = len(inputs) // _SAMPLE | 1
    inputs, wanted = inputs[::every], outcome[::every].astype(np.float64)
    scale = np.sqrt(np.mean(inputs**2, axis=0)) + 1e-9  # a column of zeros stays one
    inputs = inputs / scale

    def loss(weights: Float[np.ndarray, " k"]) -> tuple[float, Float[np.ndarray, " n"]]:
        odds = inputs @ weights
        nats = np.logaddexp(0, odds).sum() - wanted @ odds + _RIDGE / 2 * weights @ weights
        return float(nats), odds

    weights = np.zeros(inputs.shape[1])
    best, odds = loss(weights)
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-odds))
        gradient = inputs.T @ (wanted - chance) - _RIDGE * weights
        curvature = (inputs * (chance * (1 - chance))[:, None]).T @ inputs
        change = np.linalg.solve(curvature + _RIDGE * np.eye(len(weights)), gradient)
        reached, moved = loss(weights + change)
        while reached > best and np.abs(change).max() > 1e-6:
            change /= 2
            reached, moved = loss(weights + change)
        if reached > best:
            break
        gain, best, odds, weights = best - reached, reached, moved, weights + change
        if gain < 1e-6 * best:
            break
    return weights / scale
