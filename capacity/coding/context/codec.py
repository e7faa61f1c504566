"""Codecs 4 and 5: an adaptive model that learns rows, columns, neighbours and correlations.

No table is sent: encoder and decoder learn the same from the symbols already coded. A tensor is
walked as a matrix whose rows are its first or its last axis; a large one is cut into stripes of
rows that learn on their own, so that threads can share the work.
"""

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Int

from capacity.coding.blocks import blocks
from capacity.coding.byte_reader import ByteReader, varint
from capacity.coding.context.logistic import tables
from capacity.coding.context.mixing import reader, with_room, writer, written
from capacity.coding.context.model import code_rows
from capacity.coding.context.state import new_model
from capacity.coding.context.symbol import MOST
from capacity.coding.errors import CorruptFile
from capacity.coding.range_coder import words_of

FAST, CORRELATED = 0, 24  # columns and rows that a prediction rests on

_STRIPE = {FAST: 2**20, CORRELATED: 2**22}  # symbols that learn together, about
_ROW_LIMIT = 2**18  # of a stripe, see correlation.PEAK
_LAG_LIMIT = 512
_FEW_ROWS, _SMALL = 16, 2**16
_PORTION = 2**14  # symbols coded at a time, about: what is copied of a tensor
_DENSE = 6  # mean magnitude, 32 for all above, from which telling it one by one costs too much

S = TypeVar("S")
T = TypeVar("T")


class Walk(NamedTuple):
    """How a tensor is read.

    Attributes:
      axis: 0 or -1, the axis that the rows are along.
      stride: columns back to a related one, at least 2.
      rows, columns: of the matrix.
      cuts: the rows of each stripe.
    """

    axis: int
    stride: int
    rows: int
    columns: int
    cuts: list[slice]


def encode(symbols: Int[np.ndarray, "*shape"], partners: int) -> bytes | None:
    """The payload of one or more int32 symbols; None where their magnitudes are large.

    The axis is the one whose first stripe turns out shorter; in a large tensor by the fast model,
    which takes a fraction of the time and memory.

    Args:
      partners: FAST or CORRELATED.
    """
    flat = symbols.ravel()
    mass = sum(int(_magnitudes(flat[part], 32).sum(dtype=np.int64)) for part in blocks(flat.size))
    if mass > _DENSE * flat.size:
        return None
    judge = partners if symbols.size <= _SMALL else FAST
    mapped = _mapped if partners == judge else map  # threads keep what is not needed any more
    trials = mapped(lambda axis: _trial(symbols, axis, judge), _axes(symbols.shape))
    tried, first = min(trials, key=_bytes_per_symbol)
    parts = [first] if partners == judge else []
    walk = _walk(symbols.shape, tried.axis, tried.stride, partners)
    parts += _mapped(lambda cut: _coded(symbols, cut, walk, partners), walk.cuts[len(parts) :])
    lengths = b"".join(varint(len(part)) for part in parts[:-1])
    return varint(2 * walk.stride - walk.axis) + lengths + b"".join(parts)


def decode(
    payload: bytes | memoryview, shape: tuple[int, ...], partners: int
) -> Int[np.ndarray, "*shape"]:
    """The one or more symbols behind a payload, as int32."""
    content = ByteReader(payload)
    stride, last = divmod(content.varint(), 2)
    walk = _walk(shape, -last, stride, partners)
    if not 2 <= stride <= max(2, min(_LAG_LIMIT, walk.columns)):
        raise CorruptFile(f"a payload claims a stride of {stride}")
    lengths = [content.varint() for _ in walk.cuts[1:]]
    left = len(payload) - content.position - sum(lengths)
    if left < 0:
        raise CorruptFile("the stripes of a payload are longer than the payload")
    parts = [content.view(length) for length in [*lengths, left]]
    matrix = np.zeros((walk.rows, walk.columns), np.int32)

    def fill(stripe: tuple[slice, memoryview]) -> None:
        symbols = matrix[stripe[0]]
        model = new_model(symbols.shape, stride, partners)
        coder = reader(words_of(stripe[1]))
        code_rows(symbols, 0, stride, *model, coder, tables())

    _mapped(fill, list(zip(walk.cuts, parts, strict=True)))
    if len(shape) < 2 or not last:
        return matrix.reshape(shape)
    return np.ascontiguousarray(np.moveaxis(matrix.reshape(shape[-1], *shape[:-1]), 0, -1))


def _axes(shape: tuple[int, ...]) -> list[int]:
    """The axes to try: in a large tensor none of a few rows, such as the height of a convolution.

    Its many columns would learn little from them, and take memory to learn it.
    """
    if len(shape) < 2:
        return [0]
    enough = [axis for axis in (0, -1) if shape[axis] >= _FEW_ROWS]
    return enough if enough and math.prod(shape) > _SMALL else [0, -1]


def _trial(symbols: np.ndarray, axis: int, partners: int) -> tuple[Walk, bytes]:
    """How to walk the matrix along an axis, and the bytes of its first stripe."""
    rows, _ = _matrix_shape(symbols.shape, axis)
    sample = _rows(symbols, axis, slice(None, None, max(1, rows // 64)))
    walk = _walk(symbols.shape, axis, _stride(sample), partners)
    return walk, _coded(symbols, walk.cuts[0], walk, partners)


def _rows(symbols: np.ndarray, axis: int, cut: slice) -> np.ndarray:
    """Some rows of the matrix along an axis.

    A copy, as the model writes symbols where it reads them, and the caller's may be read-only; of
    no more rows than are coded at a time, as a whole matrix may be half of the memory.
    """
    _, columns = _matrix_shape(symbols.shape, axis)
    turned = np.moveaxis(symbols, axis, 0) if symbols.ndim > 1 else symbols[None]
    return np.array(turned[cut].reshape(-1, columns), np.int32, order="C")


def _bytes_per_symbol(trial: tuple[Walk, bytes]) -> float:
    walk, first = trial
    return len(first) / (walk.cuts[0].stop * walk.columns)


def _coded(symbols: np.ndarray, cut: slice, walk: Walk, partners: int) -> bytes:
    """The bytes of one stripe."""
    model, coder = new_model((cut.stop - cut.start, walk.columns), walk.stride, partners), writer()
    height = max(1, _PORTION // walk.columns)
    for first in range(cut.start, cut.stop, height):
        rows = _rows(symbols, walk.axis, slice(first, min(first + height, cut.stop)))
        coder = with_room(coder, int((_magnitudes(rows, MOST) + 3).sum(dtype=np.int64)))
        code_rows(rows, first - cut.start, walk.stride, *model, coder, tables())
    return written(coder)


def _stride(sample: np.ndarray) -> int:
    """The lag of at least 2 columns at which magnitudes of some rows are most alike."""
    columns = sample.shape[1]
    lags = np.arange(2, min(_LAG_LIMIT, columns // 2) + 1)
    if not lags.size:
        return 2
    length = columns + lags[-1]  # so that no lag wraps
    power = sum(np.abs(np.fft.rfft(row, length)) ** 2 for row in _magnitudes(sample, 4))
    products = np.rint(np.fft.irfft(power, length))  # of integers
    return int(lags[np.argmax(products[lags] / (columns - lags))])


def _magnitudes(symbols: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of each; none overflows."""
    return np.abs(np.clip(symbols, -most, most))


def _walk(shape: tuple[int, ...], axis: int, stride: int, partners: int) -> Walk:
    """The stripes are as even as rows allow."""
    rows, columns = _matrix_shape(shape, axis)
    wanted = max(rows * columns // _STRIPE[partners], -(-rows // _ROW_LIMIT), 1)
    count = min(wanted, rows)
    ends = [rows * k // count for k in range(count + 1)]
    cuts = [slice(a, b) for a, b in pairwise(ends)]
    return Walk(axis, stride, rows, columns, cuts)


def _matrix_shape(shape: tuple[int, ...], axis: int) -> tuple[int, int]:
    rows = shape[axis] if len(shape) > 1 else 1
    return rows, math.prod(shape) // rows


def _mapped(function: Callable[[S], T], items: "list[S] | tuple[S, ...]") -> list[T]:
    """`function` of every item, on as many threads as there are cores."""
    if len(items) < 2:
        return [function(item) for item in items]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(min(len(items), cores or 1)) as threads:
        return list(threads.map(function, items))
