"""Codec 2: the leading bits of every symbol under their histogram, the other bits as they are.

For alphabets whose table would cost more than it saves, such as those of fine steps. A magnitude
is split into a class, which is its octave and the `kept` bits behind its leading one, and the
`dropped` bits below; magnitudes under 2^(kept + 1) are classes of their own. The number of classes
grows with the logarithm of the range, and what is smooth within a class loses next to nothing.
"""

import math

import numpy as np
from jaxtyping import Int

from capacity.coding import categorical
from capacity.coding.bits import BitReader, gamma, packed
from capacity.coding.blocks import blocks
from capacity.coding.errors import CorruptFile
from capacity.coding.table import Table, bit_widths, encoded_table, histogram, ideal_bits

KEPT = range(8)  # what three bits can name


def encode(symbols: Int[np.ndarray, "*shape"]) -> bytes | None:
    """The payload of one or more symbols; None where a class of its own for each is shortest."""
    flat = symbols.ravel()
    values, counts = histogram(flat)
    largest = int(np.abs(values.astype(np.int64)).max())
    useful = [kept for kept in KEPT if kept == 0 or largest >= 1 << kept]
    kept = min(useful, key=lambda candidate: _length(values, counts, candidate))
    if largest < 2 << kept:
        return None
    classes = np.empty(flat.size, np.int16)  # 2^13 of them at most
    for part in blocks(flat.size):
        classes[part] = np.sign(flat[part]) * _split(np.abs(flat[part]), kept)[0]
    body = categorical.encode(classes)
    assert body is not None  # few enough for a table
    del classes  # a tensor's worth of memory
    return b"".join([packed(f"{kept:03b}" + gamma(len(body))), body, *_packed_planes(flat, kept)])


def decode(payload: bytes | memoryview, shape: tuple[int, ...]) -> Int[np.ndarray, "*shape"]:
    """The one or more symbols behind a payload, as int32."""
    payload = memoryview(payload)
    reader, size = BitReader(payload), math.prod(shape)
    kept, length = reader.number(3), reader.gamma()
    start = reader.bytes_read()
    symbols = categorical.decode(payload[start : start + length], (size,))
    dropped = np.empty(size, np.int8)
    for part in blocks(size):
        magnitudes, dropped[part] = _joined(np.abs(symbols[part].astype(np.int64)), kept)
        symbols[part] = np.sign(symbols[part]) * magnitudes
    _read_planes(symbols, dropped, memoryview(payload)[start + length :])  # no copy of most of it
    return symbols.reshape(shape)


def _packed_planes(symbols: Int[np.ndarray, " n"], kept: int) -> list[bytes]:
    """The dropped bits of all symbols: the lowest of each, then the second, and so on."""
    pieces, left = [], np.empty(0, np.uint8)
    largest = max(-int(symbols.min()), int(symbols.max()))
    for plane in range(largest.bit_length() - 1 - kept):
        for part in blocks(symbols.size):
            magnitudes = np.abs(symbols[part])
            here = magnitudes[magnitudes >> plane + 1 + kept > 0]  # d > plane
            bits = np.concatenate([left, (here >> plane & 1).astype(np.uint8)])
            whole = bits.size - bits.size % 8
            pieces.append(np.packbits(bits[:whole]).tobytes())
            left = bits[whole:]
    return [*pieces, np.packbits(left).tobytes()]


def _read_planes(
    symbols: Int[np.ndarray, " n"], dropped: Int[np.ndarray, " n"], data: memoryview
) -> None:
    """The inverse of `_packed_planes`, added to symbols whose dropped bits are zero."""
    below = np.frombuffer(data, np.uint8)
    total = int(dropped.sum(dtype=np.int64))
    if len(below) != -(-total // 8):
        raise CorruptFile(f"a payload holds {len(below)} bytes where {total} bits are due")
    at = 0
    for plane in range(int(dropped.max())):
        for part in blocks(symbols.size):
            here = part.start + np.flatnonzero(dropped[part] > plane)
            end = at + here.size
            bits = np.unpackbits(below[at // 8 : -(-end // 8)])[at % 8 :][: here.size]
            symbols[here] += np.sign(symbols[here]) * (bits.astype(np.int32) << plane)
            at = end


def _split(
    magnitudes: Int[np.ndarray, " n"], kept: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """The class of each magnitude, and how many of its lowest bits the class does not tell."""
    dropped = np.maximum(bit_widths(magnitudes) - 1 - kept, 0)
    return (dropped << kept) + (magnitudes >> dropped), dropped


def _joined(
    classes: Int[np.ndarray, " n"], kept: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """The inverse of `_split`, with zeros for the bits that the class does not tell."""
    dropped = np.maximum((classes >> kept) - 1, 0)
    if dropped.max(initial=0) + kept > 30:
        raise CorruptFile("a payload holds a symbol beyond 32 bits")
    return (classes - (dropped << kept)) << dropped, dropped


def _length(values: Int[np.ndarray, " k"], counts: Int[np.ndarray, " k"], kept: int) -> float:
    """Bits that symbols occurring `counts` times will take, to within the coder's rounding."""
    magnitudes = np.abs(values.astype(np.int64))
    classes, dropped = _split(magnitudes, kept)
    signed = np.sign(values) * classes
    first = int(signed.min())
    occurrences = np.bincount(signed - first, weights=counts).astype(np.int64)
    head, table = encoded_table(Table(first, occurrences))
    return 8 * len(head) + float(ideal_bits(occurrences, table.counts)) + float(counts @ dropped)
