"""Codec 2: the leading bits of every symbol under their histogram, the other bits as they are.

For alphabets whose table would cost more than it saves, such as those of fine steps. A magnitude
is split into a class, which is its octave and the `kept` bits behind its leading one, and the
`dropped` bits below; magnitudes under 2^(kept + 1) are classes of their own. The number of classes
grows with the logarithm of the range, and what is smooth within a class loses next to nothing.
"""

import numpy as np
from jaxtyping import Int

from capacity.coding import categorical
from capacity.coding.bits import BitReader, gamma, packed
from capacity.coding.errors import CorruptFile
from capacity.coding.table import Table, bit_widths, encoded_table, ideal_bits

KEPT = range(8)  # what three bits can name


def encode(symbols: Int[np.ndarray, " n"]) -> bytes | None:
    """The payload of n >= 1 int32 symbols; None where a class of its own for each is shortest."""
    values, counts = np.unique(symbols, return_counts=True)
    magnitudes = np.abs(symbols.astype(np.int64))
    largest = int(magnitudes.max())
    useful = [kept for kept in KEPT if kept == 0 or largest >= 1 << kept]
    kept = min(useful, key=lambda candidate: _length(values, counts, candidate))
    if largest < 2 << kept:
        return None
    classes, dropped = _split(magnitudes, kept)
    body = categorical.encode((np.sign(symbols) * classes).astype(np.int32))
    assert body is not None  # 2^13 classes at most
    planes = [magnitudes[dropped > plane] >> plane & 1 for plane in range(dropped.max(initial=0))]
    below = np.packbits(np.concatenate([np.empty(0, np.int64), *planes]).astype(np.uint8))
    return packed(f"{kept:03b}" + gamma(len(body))) + body + below.tobytes()


def decode(payload: bytes, n: int) -> Int[np.ndarray, " n"]:
    """The n >= 1 symbols behind a payload, as int32."""
    reader = BitReader(payload)
    kept, length = reader.number(3), reader.gamma()
    start = reader.bytes_read()
    signed = categorical.decode(payload[start : start + length], n).astype(np.int64)
    magnitudes, dropped = _joined(np.abs(signed), kept)
    below = np.frombuffer(payload[start + length :], np.uint8)
    total = int(dropped.sum())
    if len(below) != -(-total // 8):
        raise CorruptFile(f"a payload holds {len(below)} bytes where {total} bits are due")
    bits = np.unpackbits(below, count=total).astype(np.int64)
    for plane in range(dropped.max(initial=0)):
        here = dropped > plane
        taken, bits = np.split(bits, [np.count_nonzero(here)])
        magnitudes[here] |= taken << plane
    return (np.sign(signed) * magnitudes).astype(np.int32)


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
