"""Deep Compression's sparse form (Han et al., 2016): gaps and values, each under Huffman's code."""

import struct

import numpy as np
from jaxtyping import Int

from capacity.coding import huffman
from capacity.coding.errors import CorruptFile

GAP_BITS = range(2, 9)  # the paper has 5 for dense layers and 8 for convolutions


def encode(symbols: Int[np.ndarray, " n"]) -> bytes | None:
    """The gap width that gives the fewest bytes, the number of pairs, the gaps, the values."""
    candidates = [_with_gaps(symbols, bits) for bits in GAP_BITS]
    return min((c for c in candidates if c is not None), key=len, default=None)


def decode(payload: bytes, n: int) -> Int[np.ndarray, " n"]:
    """The n symbols behind a payload, as int32."""
    if len(payload) < 9:
        raise CorruptFile("a list of gaps ends too early")
    _, pairs, length = struct.unpack_from("<BII", payload)
    symbols = np.zeros(n, np.int32)
    if pairs:
        gaps = huffman.decode(payload[9 : 9 + length], pairs)
        values = huffman.decode(payload[9 + length :], pairs)
        places = np.cumsum(gaps.astype(np.int64) + 1) - 1
        if gaps.min() < 0 or places[-1] >= n:
            raise CorruptFile("gaps lead beyond the end of a tensor")
        symbols[places] = values
    return symbols


def _with_gaps(symbols: Int[np.ndarray, " n"], bits: int) -> bytes | None:
    """A zero is stored as a value wherever more than 2^bits - 1 zeros lie in a row."""
    places = np.flatnonzero(symbols)
    if not places.size:
        return struct.pack("<BII", bits, 0, 0)
    zeros = np.diff(places, prepend=-1) - 1
    fillers = zeros >> bits
    ends = np.cumsum(fillers + 1) - 1  # of each value's fillers and itself
    gaps = np.full(int(ends[-1]) + 1, (1 << bits) - 1, np.int32)
    values = np.zeros(gaps.size, np.int32)
    gaps[ends], values[ends] = zeros & (1 << bits) - 1, symbols[places]
    first, second = huffman.encode(gaps), huffman.encode(values)
    if first is None or second is None:
        return None
    return struct.pack("<BII", bits, len(gaps), len(first)) + first + second
