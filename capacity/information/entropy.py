"""Entropy of a discrete distribution of which only samples were seen, in bits."""

import math

import numpy as np
from jaxtyping import Int, Shaped


def plugin_entropy(counts: Int[np.ndarray, " k"]) -> float:
    """Shannon entropy, in bits, of the empirical distribution behind `counts`.

    Biased low by about (k - 1) / (2 n ln 2) bits for n samples of k possible symbols (Miller,
    1955). Between 0 and log2 k.

    Args:
      counts: [k] occurrences of each symbol, >= 0, not all zero.

    Raises:
      ValueError: a negative count, or no sample at all.
    """
    occupied = _occupied(counts)
    share = occupied / occupied.sum()
    # `+ 0.0` turns the -0.0 of a single occupied symbol into 0.0
    return float(-np.sum(share * np.log2(share))) + 0.0


def miller_madow_entropy(counts: Int[np.ndarray, " k"]) -> float:
    """Plug-in entropy plus its leading bias, (m - 1) / (2 n ln 2) bits for m occupied symbols.

    Still biased low where many symbols were never seen: of a Zipf law over 1000 symbols, 500
    samples show 6.93 of 7.49 bits. May exceed log2 k. Source: Miller (1955).

    Args:
      counts: [k] occurrences of each symbol, >= 0, not all zero.

    Raises:
      ValueError: a negative count, or no sample at all.
    """
    occupied = _occupied(counts)
    correction = (len(occupied) - 1) / (2 * occupied.sum() * math.log(2))
    return plugin_entropy(counts) + float(correction)


def symbol_counts(symbols: Shaped[np.ndarray, "..."]) -> Int[np.ndarray, " k"]:
    """Occurrences of each distinct value of an array of any shape, in ascending order of value.

    The shape and the order of the samples do not matter; the counts sum to `symbols.size`.
    """
    if symbols.dtype == np.uint8:
        counts = np.bincount(symbols.ravel(), minlength=256)
        return counts[counts > 0]
    return np.unique(symbols, return_counts=True)[1]


def symbol_entropy(symbols: Shaped[np.ndarray, "..."]) -> float:
    """Plug-in entropy, in bits per sample, of the values of an array of any shape.

    Raises:
      ValueError: an empty array.
    """
    return plugin_entropy(symbol_counts(symbols))


def _occupied(counts: Int[np.ndarray, " k"]) -> Int[np.ndarray, " m"]:
    if np.any(counts < 0):
        raise ValueError(f"counts hold {counts.min()}: occurrences must be 0 or more")
    occupied = counts[counts > 0]
    if not len(occupied):
        raise ValueError("counts are all zero: the entropy of no samples is undefined")
    return occupied
