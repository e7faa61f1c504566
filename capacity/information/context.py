"""Entropy of quantised weights given their neighbours: the length of an adaptive code."""

import numpy as np
from jaxtyping import Float, Int

from capacity.coding.bits import gamma, zigzag
from capacity.coding.table import bit_widths
from capacity.information.prequential import mixture_bits

_PRIORS = (8.0, 64.0)  # earlier symbols that the zero-order law counts for in a context
_REACH = 2  # neighbours are told apart up to this magnitude
_FINEST, _COARSEST = -4, 5  # octaves of a mean magnitude that are told apart


def context_bits(symbols: Int[np.ndarray, "..."]) -> float:
    """Bits of a tensor's symbols under an adaptive model that knows their neighbours.

    A code that a decoder could read with nothing but the shape, and so an upper bound: its tables
    are learned on the way, and what naming the occurring levels costs is counted (47 bits for 30
    levels in a row). A conditional plug-in entropy is none: with a hundred cells of contexts x
    levels it lies far below any code of a thousand weights, and above the zero-order entropy once
    its tables are charged. The file's own codec is a stronger model, of binary decisions, with
    headers and the rounding of a real coder; this one stays what it is when the format changes.

    In row-major order each symbol has the probability (n_cs + b p_s) / (n_c + b): n_c earlier
    symbols in its context c, n_cs of them s, and p_s = (n_s + 1/2) / (n + m/2) over the m levels
    that occur (Krichevsky & Trofimov, 1981), to which a context that was seldom seen falls back
    (MacKay & Peto, 1995). A Bayesian mixture codes with seven such models: without a context, and
    for b = 8 and 64 given the neighbours to the left and above, the mean magnitude so far in the
    row, and that in the column. So it is at most log2(7) = 2.8 bits longer than the best of them,
    and never more than that above an adaptive code without a context.

    Args:
      symbols: as a matrix its last axis is the columns: for a kernel, outputs.

    Raises:
      ValueError: no symbols.
    """
    if not symbols.size:
        raise ValueError("no symbols: there is nothing to code")
    levels, index = np.unique(symbols.astype(np.int64), return_inverse=True)
    index, count = index.ravel(), len(levels)
    shares = (_earlier(index) + 0.5) / (np.arange(index.size) + count / 2)
    totals = [-float(np.sum(np.log2(shares)))]
    for context in _contexts(symbols.reshape(-1, symbols.shape[-1] if symbols.ndim else 1)):
        before, same = _earlier(context), _earlier(context * count + index)
        totals += [-float(np.sum(np.log2((same + b * shares) / (before + b)))) for b in _PRIORS]
    return mixture_bits(totals) + _level_bits(levels)


def _contexts(matrix: Int[np.ndarray, "rows columns"]) -> list[Int[np.ndarray, " n"]]:
    """The context of every symbol, by earlier ones only, under each of the three models."""
    clipped = np.clip(matrix, -_REACH, _REACH).astype(np.int64) + _REACH
    left, above = np.full_like(clipped, _REACH), np.full_like(clipped, _REACH)
    left[:, 1:], above[1:] = clipped[:, :-1], clipped[:-1]
    # In a float64 sums are exact, so that a decoder could repeat them.
    magnitudes = np.abs(matrix.astype(np.float64))
    row, column = (
        _octaves((np.cumsum(magnitudes, axis) - magnitudes) / np.maximum(_places(matrix, axis), 1))
        for axis in (1, 0)
    )
    return [(left * (2 * _REACH + 1) + above).ravel(), row.ravel(), column.ravel()]


def _places(matrix: Int[np.ndarray, "rows columns"], axis: int) -> Int[np.ndarray, "..."]:
    """How many symbols of the same row (axis 1) or column (axis 0) come before."""
    places = np.arange(matrix.shape[axis])
    return places[None, :] if axis else places[:, None]


def _octaves(means: Float[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
    """0 for 0, and a number for each octave above."""
    _, exponents = np.frexp(means)
    return np.where(means == 0, 0, np.clip(exponents, _FINEST, _COARSEST) - _FINEST + 1)


def _earlier(values: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """How often each value occurred before."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.concatenate([starts, [values.size]]))
    counts = np.empty(values.size, np.int64)
    counts[order] = np.arange(values.size) - np.repeat(starts, lengths)
    return counts


def _level_bits(levels: Int[np.ndarray, " k"]) -> int:
    """The first level, how many there are, and the distances between them, in Elias gamma codes."""
    ends = gamma(zigzag(int(levels[0]))) + gamma(len(levels))
    return len(ends) + int(np.sum(2 * bit_widths(np.diff(levels)) - 1))
