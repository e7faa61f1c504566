"""Huffman's code per tensor, in canonical form: a peer to compare with, no codec of the format."""

import heapq
from itertools import count

import numpy as np
from jaxtyping import Int, UInt8

from capacity.coding.bits import BitReader, gamma, packed, zigzag
from capacity.coding.blocks import blocks
from capacity.coding.errors import CorruptFile
from capacity.coding.table import LEVEL_LIMIT, table_of

LENGTH_BITS = 6  # of a code length: 2^32 symbols need 46 bits at most (Fibonacci counts)


def encode(symbols: Int[np.ndarray, " n"]) -> bytes | None:
    """First symbol, levels and code lengths, then a code per symbol; None beyond a table's span."""
    table = table_of(symbols)
    if table is None:
        return None
    lengths = code_lengths(table.counts)
    head = [gamma(zigzag(table.first)), gamma(len(lengths))]
    head += [f"{length:0{LENGTH_BITS}b}" for length in lengths.tolist()]
    codes, body, left = _canonical(lengths), [packed("".join(head))], np.empty(0, np.uint8)
    for part in blocks(symbols.size):
        level = symbols[part].astype(np.int64) - table.first
        bits = np.concatenate([left, _bits(codes[level], lengths[level])])
        whole = bits.size - bits.size % 8
        body.append(np.packbits(bits[:whole]).tobytes())
        left = bits[whole:]
    return b"".join([*body, np.packbits(left).tobytes()])


def decode(payload: bytes, n: int) -> Int[np.ndarray, " n"]:
    """The n >= 1 symbols behind a payload, as int32."""
    reader = BitReader(payload)
    first, levels = reader.zigzag(), reader.gamma()
    if levels > LEVEL_LIMIT:
        raise CorruptFile(f"a code of {levels} levels")
    lengths = np.array([reader.number(LENGTH_BITS) for _ in range(levels)], np.int64)
    if levels == 1:
        return np.full(n, first, np.int32)
    bits = np.unpackbits(np.frombuffer(payload, np.uint8, offset=reader.bytes_read()))
    return (first + _levels(bits, lengths, n)).astype(np.int32)


def code_lengths(counts: Int[np.ndarray, " levels"]) -> Int[np.ndarray, " levels"]:
    """Bits of each level's code word in an optimal prefix code (Huffman, 1952); 0 where unused.

    1, 1, 2, 4 occurrences -> 3, 3, 2, 1 bits.
    """
    order = count()
    heap = [(int(c), next(order), [level]) for level, c in enumerate(counts) if c]
    heapq.heapify(heap)
    lengths = np.zeros(len(counts), np.int64)
    while len(heap) > 1:
        (low, _, first), (high, _, second) = heapq.heappop(heap), heapq.heappop(heap)
        lengths[first + second] += 1
        heapq.heappush(heap, (low + high, next(order), first + second))
    return lengths


def _canonical(lengths: Int[np.ndarray, " levels"]) -> Int[np.ndarray, " levels"]:
    """The code words: ascending by length, then by level."""
    codes, code, before = np.zeros(len(lengths), np.int64), 0, 0
    for level in _ascending(lengths):
        code <<= int(lengths[level]) - before
        codes[level], before = code, int(lengths[level])
        code += 1
    return codes


def _ascending(lengths: Int[np.ndarray, " levels"]) -> Int[np.ndarray, " used"]:
    """The levels that have a code word, in the order of their code words."""
    order = np.argsort(lengths, kind="stable")
    return order[lengths[order] > 0]


def _bits(codes: Int[np.ndarray, " n"], lengths: Int[np.ndarray, " n"]) -> UInt8[np.ndarray, " m"]:
    """All code words one after the other, a bit per element."""
    ends = np.cumsum(lengths)
    shift = np.repeat(ends, lengths) - 1 - np.arange(ends[-1])
    return (np.repeat(codes, lengths) >> shift & 1).astype(np.uint8)


def _levels(
    bits: UInt8[np.ndarray, " m"], lengths: Int[np.ndarray, " levels"], n: int
) -> Int[np.ndarray, " n"]:
    """The levels of n code words: what a word at each bit would be, then from word to word."""
    order, longest = _ascending(lengths), int(lengths.max())
    if not longest:
        raise CorruptFile("a code without code words")
    left_aligned = _canonical(lengths)[order] << longest - lengths[order]
    padded = np.concatenate([bits, np.zeros(longest, np.uint8)]).astype(np.int64)
    found, at = np.empty(n, np.int64), 0
    done = 0
    for part in blocks(bits.size):
        window = np.zeros(part.stop - part.start, np.int64)
        for place in range(longest):
            window = window << 1 | padded[part.start + place : part.stop + place]
        words = order[np.searchsorted(left_aligned, window, side="right") - 1]
        steps, starts, at = lengths[words].tolist(), [], at - part.start
        while at < len(steps) and done + len(starts) < n:
            starts.append(at)
            at += steps[at]
        found[done : done + len(starts)] = words[starts]
        done, at = done + len(starts), at + part.start
    if done < n or at > bits.size:
        raise CorruptFile("a stream of code words ends too early")
    return found
