"""Probabilities and log-odds in fixed point, by integers alone: the same on every machine."""

from bisect import bisect_right
from functools import cache

import numpy as np
from jaxtyping import Int

ODDS = 256  # units of log-odds per nat
LIMIT = 12 * ODDS - 1  # the largest log-odds: a probability within 6e-6 of certainty
CHANCE_BITS = 22  # a probability is a multiple of 2^-22, never 0 and never 1
COUNT_LIMIT = 1023  # decisions that a counter remembers having seen
LEVELS = 64

_PRECISION = 96


# Where each table begins in the one array that holds them all, and what an index into it means.
SQUASH = 0  # log-odds + LIMIT -> probability, in 2^-22
STRETCH = SQUASH + 2 * LIMIT + 1  # the leading 12 bits of a probability -> log-odds
TRUST = STRETCH + 4096  # decisions seen by a counter -> n / (n + 0.4), in 2^-8
COUNTER_RATE = TRUST + COUNT_LIMIT + 1  # the same -> 1 / (n + 1.6), in 2^-16
WEIGHT_RATE = COUNTER_RATE + COUNT_LIMIT + 1  # updates of a set of weights -> 1 / (n + 100), 2^-16
LEVEL = WEIGHT_RATE + 4096  # x < 4096 -> floor(4 log2 x) + 1, and 0 for 0


@cache
def tables() -> Int[np.ndarray, " entries"]:
    """All tables, made of integers of any size; about 20 ms once per process."""
    powers, one = _powers(), 1 << _PRECISION
    top = (1 << CHANCE_BITS) - 1
    upper = [min((p << CHANCE_BITS) // (p + one), top) for p in powers]
    squash = [max(top + 1 - p, 1) for p in reversed(upper[1:])] + upper
    odds = [((2 * i + 1) << _PRECISION) // (8191 - 2 * i) for i in range(2048, 4096)]
    above = [bisect_right(powers, ratio) - 1 for ratio in odds]
    seen = range(COUNT_LIMIT + 1)
    parts = {
        SQUASH: squash,
        STRETCH: [-x for x in reversed(above)] + above,
        TRUST: [1280 * n // (5 * n + 2) for n in seen],
        COUNTER_RATE: [655360 // (10 * n + 16) for n in seen],
        WEIGHT_RATE: [65536 // (n + 100) for n in range(4096)],
        # floor(4 log2 x) is floor(log2 x^4), which is a length in bits less one.
        LEVEL: [0] + [(x**4).bit_length() for x in range(1, 4096)],
    }
    return np.array([entry for _, part in sorted(parts.items()) for entry in part], np.int32)


def _powers() -> list[int]:
    """exp(k / ODDS) for k = 0, ..., LIMIT, in 2^-96."""
    term = base = 1 << _PRECISION
    k = 1
    while term:
        term //= ODDS * k
        base += term
        k += 1
    powers = [1 << _PRECISION]
    for _ in range(LIMIT):
        powers.append(powers[-1] * base >> _PRECISION)
    return powers
