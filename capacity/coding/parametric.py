"""Codec 3: every symbol under a generalised Gaussian law, told in half a dozen bytes.

frequency(k) = 2^(32 - (|k - centre| / scale)^shape): Laplace's law for shape 1, a Gaussian for 2.
Symbol 0 may have a mass of its own. Against a histogram it saves the table, which counts where
levels are many and weights few. Blind to the order of the weights.
"""

import math
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from capacity.coding.bits import BitReader, gamma, packed, zigzag
from capacity.coding.blocks import blocks
from capacity.coding.errors import CorruptFile
from capacity.coding.fixed_point import FRACTION, ONE, exp2, log2
from capacity.coding.range_coder import decoded_indices, encoded_indices
from capacity.coding.table import bit_widths, histogram

LEVEL_LIMIT = 2**16  # levels from the smallest to the largest symbol, both included
SHAPES, SPREADS = 64, 2048  # how many values six and eleven bits name
PEAK = 32  # binary logarithm of the largest frequency
_SPREAD_OF_ONE = 512  # the spread at which |k - centre| = 1 lies one bit below the peak
_TOP = 61  # binary logarithm of the most that a mass may lift a frequency to
_MASS_LIMIT = 255  # eighths of a bit by which the mass of 0 may differ
_TOGETHER = 2**14  # levels of all laws that are looked at together
_CENTRE = 8  # parts of a symbol in which the centre is told


class Law(NamedTuple):
    """A distribution over the integers first, first + 1, ...; all of it integers.

    Attributes:
      first: the smallest symbol.
      levels: how many there are.
      shape: the exponent is (shape + 1) / 16.
      spread: the level of one bit lies where |k - centre|^exponent = 2^((spread - 512) / 16).
      centre: in eighths of a symbol.
      mass: what symbol 0 has more than the law says, in eighths of a bit.
    """

    first: int
    levels: int
    shape: int
    spread: int
    centre: int
    mass: int


def encode(symbols: Int[np.ndarray, "*shape"]) -> bytes | None:
    """The payload of one or more symbols; None for one level, or for far too many."""
    flat = symbols.ravel()
    first, last = int(flat.min()), int(flat.max())
    if not 1 < last - first + 1 <= min(LEVEL_LIMIT, 64 * flat.size):
        return None
    law = fitted(*histogram(flat))
    indices = np.empty(flat.size, np.uint16)
    for part in blocks(flat.size):
        indices[part] = flat[part].astype(np.int64) - first
    return _head(law) + encoded_indices(indices, frequencies(law))


def decode(payload: bytes | memoryview, shape: tuple[int, ...]) -> Int[np.ndarray, "*shape"]:
    """The one or more symbols behind a payload, as int32."""
    payload = memoryview(payload)
    reader = BitReader(payload)
    first, levels = reader.zigzag(), reader.gamma()
    if not 1 < levels <= LEVEL_LIMIT or max(abs(first), abs(first + levels - 1)) >= 2**31:
        raise CorruptFile(f"a law over {levels} levels from {first} on")
    told = Law(first, levels, reader.number(6), reader.number(11), 0, 0)
    centre = reader.zigzag() if reader.number(1) else 0
    mass = reader.zigzag() if reader.number(1) else 0
    if abs(centre) > _CENTRE * 2**31 or abs(mass) > _MASS_LIMIT:
        raise CorruptFile(f"a law around {centre} with a mass of {mass}")
    law = told._replace(centre=centre, mass=mass)
    symbols = decoded_indices(payload[reader.bytes_read() :], frequencies(law), math.prod(shape))
    symbols += np.int32(first)
    return symbols.reshape(shape)


def frequencies(law: Law) -> Int[np.ndarray, " levels"]:
    """Integers in proportion to the probabilities, the same on every machine; all > 0."""
    symbols = law.first + np.arange(law.levels, dtype=np.int64)
    distance = np.minimum(np.abs(_CENTRE * symbols - law.centre), 2**31 - 1)
    away = np.maximum(distance, 1)
    power = (law.shape + 1) * (log2(away) - (_CENTRE.bit_length() - 1) * ONE) >> 4
    power -= (law.spread - _SPREAD_OF_ONE) * (ONE >> 4)
    below = np.where(distance > 0, exp2(np.minimum(power, 6 * ONE), FRACTION), 0)  # 2^6 > 32 bits
    exponent = PEAK * ONE - below + (symbols == 0) * law.mass * (ONE >> 3)
    return np.maximum(exp2(np.clip(exponent, 0, _TOP * ONE), 0), 1)


def fitted(values: Int[np.ndarray, " k"], counts: Int[np.ndarray, " k"]) -> Law:
    """The law under which symbols that occur `counts` times are shortest, as far as a search finds.

    Floating point, since only what it finds is told to a decoder.
    """
    first, levels = int(values[0]), int(values[-1] - values[0]) + 1
    occurrences = np.zeros(levels)
    occurrences[values - first] = counts
    mean = round(_CENTRE * float(values @ counts) / float(counts.sum()))
    survivors = np.where(values == 0, 0, counts)  # of a pruned tensor, whose zeros lie apart
    starts = product({(0, True), (mean, True), (0, False)}, (0.5, 0.75, 1.0, 1.5, 2.0, 3.0))
    laws = []
    for (centre, zeros), exponent in starts:
        seen = counts if zeros else survivors
        moment = np.abs(values - centre / _CENTRE) ** exponent @ seen / seen.sum()
        # the maximum likelihood, were the symbols real numbers: 1 / (exponent ln 2 moment)
        spread = 16 * np.log2(max(exponent * np.log(2) * moment, 1e-9)) + _SPREAD_OF_ONE
        laws.append(Law(first, levels, int(16 * exponent) - 1, round(spread), centre, 0))
    best = _shortest(laws, occurrences)
    for step in (8, 4, 2, 1):
        while True:
            law = best[1]
            moves = [
                law._replace(shape=law.shape + way, spread=law.spread + turn)
                for way, turn in product((-step, 0, step), (-2 * step, -step, 0, step, 2 * step))
            ]
            moves += [law._replace(centre=law.centre + way) for way in (-step, step)]
            found = _shortest(moves, occurrences)
            if found[0] >= best[0]:
                break
            best = found
    return best[1]


def _shortest(laws: Sequence[Law], occurrences: Float[np.ndarray, " levels"]) -> tuple[float, Law]:
    """The bits of all symbols and of the law that takes fewest, with the best mass for 0.

    Many laws of few levels at a time, as a call of numpy costs more than its work then.
    """
    together = max(1, _TOGETHER // len(occurrences))
    found = []
    for start in range(0, len(laws), together):
        part = laws[start : start + together]
        shape, spread, centre = np.array([law[2:5] for law in part]).T
        shape, spread = np.clip(shape, 0, SHAPES - 1), np.clip(spread, 0, SPREADS - 1)
        bits, mass = _with_mass(part[0].first, shape, spread, centre, occurrences)
        k = int(np.argmin(bits))
        told = {"shape": shape[k], "spread": spread[k], "centre": centre[k], "mass": mass[k]}
        law = part[k]._replace(**{name: int(value) for name, value in told.items()})
        found.append((float(bits[k]), law))
    return min(found, key=lambda each: each[0])


def _with_mass(
    first: int,
    shape: Int[np.ndarray, " laws"],
    spread: Int[np.ndarray, " laws"],
    centre: Int[np.ndarray, " laws"],
    occurrences: Float[np.ndarray, " levels"],
) -> tuple[Float[np.ndarray, " laws"], Int[np.ndarray, " laws"]]:
    """Bits of all symbols and of each law, with a mass of its own for 0 where that pays."""
    distance = np.abs(first + np.arange(len(occurrences)) - centre[:, None] / _CENTRE)
    scale = 2.0 ** ((spread - _SPREAD_OF_ONE) / 16)
    logs = -np.minimum(distance ** ((shape[:, None] + 1) / 16) / scale[:, None], PEAK)
    none = np.zeros_like(shape)
    plain = _bits(logs, occurrences) + _head_bits(first, len(occurrences), centre, none)
    zero, weights = -first, float(occurrences.sum())
    if not 0 <= zero < len(occurrences) or occurrences[zero] in (0, weights):
        return plain, none
    others = np.exp2(logs).sum(axis=1) - np.exp2(logs[:, zero])
    due = np.log2(others * occurrences[zero] / (weights - occurrences[zero]))
    mass = np.clip(np.rint(8 * (due - logs[:, zero])), -_MASS_LIMIT, _MASS_LIMIT).astype(np.int64)
    logs[:, zero] += mass / 8
    apart = _bits(logs, occurrences) + _head_bits(first, len(occurrences), centre, mass)
    return np.minimum(plain, apart), np.where(apart < plain, mass, none)


def _bits(
    logs: Float[np.ndarray, "laws levels"], occurrences: Float[np.ndarray, " levels"]
) -> Float[np.ndarray, " laws"]:
    total = np.log2(np.exp2(logs).sum(axis=1, keepdims=True))
    rare = np.maximum(logs - total, -24)  # no probability of the coder is smaller
    return -(rare * occurrences).sum(axis=1)


def _head_bits(
    first: int, levels: int, centre: Int[np.ndarray, " laws"], mass: Int[np.ndarray, " laws"]
) -> Int[np.ndarray, " laws"]:
    """Bits of `_head`, whole bytes, for laws that differ in what they say last."""
    bits = 2 * zigzag(first).bit_length() - 1 + 2 * levels.bit_length() - 1 + 6 + 11 + 2
    for value in (centre, mass):
        bits = bits + np.where(value == 0, 0, 2 * bit_widths(np.abs(value)) + 1)
    return -(-bits // 8) * 8


def _head(law: Law) -> bytes:
    codes = [gamma(zigzag(law.first)), gamma(law.levels), f"{law.shape:06b}", f"{law.spread:011b}"]
    for value in (law.centre, law.mass):
        codes.append("1" + gamma(zigzag(value)) if value else "0")
    return packed("".join(codes))
