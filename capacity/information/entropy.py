"""Entropy of a discrete distribution of which only samples were seen, in bits."""

import math

import numpy as np
from jaxtyping import Int, Shaped
from scipy.special import digamma


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
    samples show 6.87 of 7.49 bits on average. May exceed log2 k. Source: Miller (1955).

    Args:
      counts: [k] occurrences of each symbol, >= 0, not all zero.

    Raises:
      ValueError: a negative count, or no sample at all.
    """
    occupied = _occupied(counts)
    correction = (len(occupied) - 1) / (2 * occupied.sum() * math.log(2))
    return plugin_entropy(counts) + float(correction)


def chao_shen_entropy(counts: Int[np.ndarray, " k"]) -> float:
    """Entropy, in bits, with the unseen symbols estimated from those that were seen once.

    Shares are scaled by the coverage C = 1 - f1 / n, for f1 symbols seen once, and each term is
    divided by the probability that its symbol is seen at all (Chao & Shen, 2003). Where every
    symbol was seen once, f1 is taken as n - 1, as C would be 0. Of a Zipf law over 1000 symbols,
    500 samples show 7.21 of 7.49 bits on average. May exceed log2 k.

    Args:
      counts: [k] occurrences of each symbol, >= 0, at least two in all.

    Raises:
      ValueError: a negative count, or fewer than two samples.
    """
    occupied = _several(counts)
    samples = int(occupied.sum())
    singletons = min(int(np.sum(occupied == 1)), samples - 1)
    share = (1 - singletons / samples) * occupied / samples
    seen = -np.expm1(samples * np.log1p(-share)) if len(occupied) > 1 else 1.0
    return float(-np.sum(share * np.log2(share) / seen)) + 0.0


def grassberger_entropy(counts: Int[np.ndarray, " k"]) -> float:
    """Entropy, in bits, by log n - (1/n) sum_i n_i G(n_i), with smaller bias than Miller-Madow.

    G(n) = psi(n) + (-1)^n (psi((n + 1) / 2) - psi(n / 2)) / 2, in nats (Grassberger, 2003,
    arXiv:physics/0307138). Of a Zipf law over 1000 symbols, 500 samples show 7.16 of 7.49
    bits on average. May exceed log2 k, and is not quite 0 for a constant: 0.014 for 101
    samples.

    Args:
      counts: [k] occurrences of each symbol, >= 0, at least two in all.

    Raises:
      ValueError: a negative count, or fewer than two samples.
    """
    n = _several(counts).astype(np.float64)
    sign = np.where(n % 2 == 0, 1, -1)
    g = digamma(n) + sign * (digamma((n + 1) / 2) - digamma(n / 2)) / 2
    return float(math.log(n.sum()) - np.sum(n * g) / n.sum()) / math.log(2)


def entropy_standard_error(counts: Int[np.ndarray, " k"]) -> float:
    """Standard error, in bits, of the plug-in entropy of n independent samples.

    The root of (sum p log2^2 p - H^2) / n (Basharin, 1959): that of the leading order in 1 / n,
    which vanishes for uniform counts.

    Raises:
      ValueError: a negative count, or fewer than two samples.
    """
    occupied = _several(counts)
    samples = occupied.sum()
    share = occupied / samples
    variance = np.sum(share * np.log2(share) ** 2) - np.sum(share * np.log2(share)) ** 2
    return math.sqrt(max(float(variance), 0.0) / float(samples))


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


def _several(counts: Int[np.ndarray, " k"]) -> Int[np.ndarray, " m"]:
    occupied = _occupied(counts)
    if occupied.sum() < 2:
        raise ValueError("counts hold one sample: at least two are needed to correct a bias")
    return occupied
