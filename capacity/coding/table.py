"""The frequency table of a tensor: what a decoder must know before the first symbol."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from capacity.coding.bits import BitReader, gamma, packed, zigzag
from capacity.coding.blocks import blocks
from capacity.coding.errors import CorruptFile, UnstorableTensor

LEVEL_LIMIT = 2**14  # levels from the smallest to the largest symbol, both included
COUNT_BITS = 32  # significant bits of the largest count
_COUNTED_SPAN = 2**20  # up to here a counter per level beats sorting, if the symbols are many

_CHANGES = {d: gamma(zigzag(d)) for d in range(-COUNT_BITS, COUNT_BITS + 1)}


class Table(NamedTuple):
    """A histogram over the consecutive integers first, first + 1, ...

    Attributes:
      first: the smallest symbol that occurs.
      counts: [levels] occurrences of each, or numbers nearly in proportion to them; the first
        and the last are not zero.
    """

    first: int
    counts: Int[np.ndarray, " levels"]


def table_of(symbols: Int[np.ndarray, " n"]) -> Table | None:
    """The exact histogram of n >= 1 symbols; None where it spans more than LEVEL_LIMIT levels."""
    first, last = int(symbols.min()), int(symbols.max())
    if last - first >= LEVEL_LIMIT:
        return None
    return Table(first, _occurrences(symbols, first, last))


def histogram(
    symbols: Int[np.ndarray, " n"],
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """The distinct values of n >= 1 symbols, ascending, and how often each occurs."""
    first, last = int(symbols.min()), int(symbols.max())
    if last - first >= min(_COUNTED_SPAN, 16 * len(symbols)):
        return np.unique(symbols, return_counts=True)
    counts = _occurrences(symbols, first, last)
    present = np.flatnonzero(counts)
    return first + present, counts[present]


def _occurrences(
    symbols: Int[np.ndarray, " n"], first: int, last: int
) -> Int[np.ndarray, " levels"]:
    counts = np.zeros(last - first + 1, np.int64)
    for part in blocks(len(symbols)):
        counts += np.bincount(symbols[part].astype(np.int64) - first, minlength=len(counts))
    return counts


def encoded_table(table: Table) -> tuple[bytes, Table]:
    """The bytes of a table, and the table that a decoder will read from them.

    Each count keeps its leading one and the `precision` bits behind it. `precision` is the one
    for which table and symbols together are shortest: a kept bit costs a bit per level, a lost
    one makes every symbol a little longer. The layout is in FORMAT.md.
    """
    widest = int(table.counts.max()).bit_length()
    if widest > COUNT_BITS:
        raise UnstorableTensor(
            f"{table.counts.sum()} symbols in one tensor: more than the format counts"
        )
    candidates = _rounded(table.counts, np.arange(widest)[:, None])
    shown = np.clip(bit_widths(table.counts) - 1, 0, np.arange(widest)[:, None])
    precision = int(np.argmin(shown.sum(axis=1) + ideal_bits(table.counts, candidates)))
    codes = [gamma(zigzag(table.first)), gamma(len(table.counts))]
    if len(table.counts) > 1:
        codes.append(f"{precision:05b}")
        previous = 0
        for count in table.counts.tolist():
            width = count.bit_length()
            codes += [_CHANGES[width - previous], f"{count:b}"[1 : 1 + precision]]
            previous = width
    return packed("".join(codes)), Table(table.first, candidates[precision])


def decoded_table(data: bytes | memoryview) -> tuple[Table, memoryview]:
    """The table at the front of `data`, and the bytes behind it, where they are."""
    data = memoryview(data)
    reader = BitReader(data)
    first, levels = reader.zigzag(), reader.gamma()
    if levels > LEVEL_LIMIT or max(abs(first), abs(first + levels - 1)) >= 2**31:
        raise CorruptFile(f"a table of symbol counts claims {levels} levels from {first} on")
    if levels == 1:
        return Table(first, np.ones(1, np.int64)), data[reader.bytes_read() :]
    precision = reader.number(5)
    counts, width = [], 0
    for _ in range(levels):
        width += reader.zigzag()
        if not 0 <= width <= COUNT_BITS:
            raise CorruptFile("a table of symbol counts holds a count that is out of range")
        shown = min(precision, max(width - 1, 0))
        leading = 1 << shown | (reader.number(shown) if shown else 0) if width else 0
        counts.append(leading << max(width - 1 - shown, 0))
    if not (counts[0] and counts[-1]):
        raise CorruptFile("a table of symbol counts begins or ends with a symbol that never occurs")
    rounded = _rounded(np.array(counts, np.int64), np.array([precision]))
    return Table(first, rounded), data[reader.bytes_read() :]


def ideal_bits(
    counts: Int[np.ndarray, " levels"], rounded: Int[np.ndarray, "*candidates levels"]
) -> Float[np.ndarray, "*candidates"]:
    """Bits of symbols that occur `counts` times, coded by the probabilities rounded / sum."""
    seen = counts > 0
    surprise = np.log2(rounded.sum(axis=-1, keepdims=True) / rounded[..., seen])
    return np.asarray(surprise @ counts[seen])


def bit_widths(counts: Int[np.ndarray, " levels"]) -> Int[np.ndarray, " levels"]:
    """Significant bits of integers >= 0: 0 -> 0, 1 -> 1, 2 and 3 -> 2; exact below 2^53."""
    return np.frexp(counts.astype(np.float64))[1].astype(np.int64)


def _rounded(
    counts: Int[np.ndarray, " levels"], precision: Int[np.ndarray, "*candidates 1"]
) -> Int[np.ndarray, "*candidates levels"]:
    """Counts with all but their leading 1 + precision bits replaced by a one and zeros."""
    dropped = np.maximum(bit_widths(counts) - 1 - precision, 0)
    return ((counts >> dropped) << dropped) + ((1 << dropped) >> 1)
