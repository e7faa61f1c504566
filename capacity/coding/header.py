"""The header of a file of coded weights: what every tensor is called, its shape and its code."""

import math
import struct
from typing import Literal, NamedTuple

import numpy as np

from capacity.coding.byte_reader import ByteReader, varint
from capacity.coding.dtypes import DTYPES, dtype_number
from capacity.coding.errors import CorruptFile, UnstorableTensor
from capacity.coding.names import NameReader, NameWriter, text

AXIS_LIMIT = 32  # axes of an array, which every numpy allows
_SAME_FIRST, _SAME_LAST = 128, 64  # flags beside the number of axes
_OTHER_DTYPE = 64  # flag beside form and codec: not float32
_LOSSLESS, _LONG_STEP, _SHORT_STEP, _CODEBOOK = range(4)  # forms

Quantiser = Literal["lossless", "uniform", "codebook"]


class Entry(NamedTuple):
    """One tensor.

    Attributes:
      name: its path in the parameter tree, such as layers/0/kernel.
      shape: its axes, outermost first.
      dtype: of the weights that a decoder gives back.
      quantiser: how symbols stand for weights; `lossless` where there are none.
      codec: the number of its code; 0 where it is lossless.
      step: distance of neighbouring weights, a float32; 0 unless the quantiser is uniform.
      length: bytes of its payload.
      checksum: of its payload: CRC-32, or since version 2 the low 24 bits of it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantiser: Quantiser
    codec: int
    step: float
    length: int
    checksum: int

    @property
    def size(self) -> int:
        """Weights in the tensor."""
        return math.prod(self.shape)


def encoded_entries(entries: list[Entry]) -> list[bytes]:
    """The bytes of each entry, in version 2; the layout is in FORMAT.md."""
    names, before, pieces = NameWriter(), (), []
    for entry in entries:
        pieces.append(
            names.encoded(entry.name)
            + _encoded_shape(entry, before)
            + _encoded_values(entry)
            + varint(entry.length)
            + (entry.checksum.to_bytes(3, "little") if entry.length else b"")
        )
        before = entry.shape
    return pieces


def decoded_entries(data: bytes, version: int) -> tuple[list[Entry], list[int]]:
    """The entries that `data` consists of, and the bytes that each takes."""
    reader, names, entries, lengths = ByteReader(data), NameReader(), [], []
    while not reader.at_end():
        start, before = reader.position, entries[-1] if entries else None
        if version == 1:
            entries.append(_first_version(reader, before))
        else:
            entries.append(_entry(reader, names, before.shape if before else ()))
        lengths.append(reader.position - start)
    return entries, lengths


def _encoded_shape(entry: Entry, before: tuple[int, ...]) -> bytes:
    """The axes, less a first or a last one that the tensor before has too."""
    axes = list(entry.shape)
    if len(axes) > AXIS_LIMIT:
        raise UnstorableTensor(f"{entry.name}: {len(axes)} axes: at most {AXIS_LIMIT}")
    head = len(axes)
    if axes and before and axes[-1] == before[-1]:
        head |= _SAME_LAST
        axes.pop()
    if axes and before and axes[0] == before[0]:
        head |= _SAME_FIRST
        axes.pop(0)
    return bytes([head]) + b"".join(map(varint, axes))


def _decoded_shape(reader: ByteReader, name: str, before: tuple[int, ...]) -> tuple[int, ...]:
    (head,) = reader.take(1)
    axes, first, last = head & (_SAME_LAST - 1), head & _SAME_FIRST, head & _SAME_LAST
    if axes > AXIS_LIMIT:
        raise CorruptFile(f"{name}: {axes} axes: at most {AXIS_LIMIT} are allowed")
    written = axes - bool(first) - bool(last)
    if written < 0 or ((first or last) and not before):
        raise CorruptFile(f"{name}: its shape refers to one that is not there")
    middle = tuple(reader.varint() for _ in range(written))
    return (*before[:1],) * bool(first) + middle + (*before[-1:],) * bool(last)


def _encoded_values(entry: Entry) -> bytes:
    """How the payload becomes weights: codec, quantiser, step and dtype."""
    step = b""
    if entry.quantiser == "uniform":
        step = struct.pack("<f", entry.step)
        form = _LONG_STEP if any(step[:2]) else _SHORT_STEP
        step = step[2:] if form == _SHORT_STEP else step
    else:
        form = _LOSSLESS if entry.quantiser == "lossless" else _CODEBOOK
    number = dtype_number(np.dtype(entry.dtype), entry.name)
    head = entry.codec | form << 4 | (_OTHER_DTYPE if number else 0)
    return bytes([head]) + (bytes([number]) if number else b"") + step


def _entry(reader: ByteReader, names: NameReader, before: tuple[int, ...]) -> Entry:
    """The next entry, in version 2."""
    name = names.decoded(reader)
    shape = _decoded_shape(reader, name, before)
    (head,) = reader.take(1)
    (number,) = reader.take(1) if head & _OTHER_DTYPE else b"\0"
    if head >= 2 * _OTHER_DTYPE or number >= len(DTYPES):
        raise CorruptFile(f"{name}: a kind of tensor that this version does not know")
    dtype, codec, form = DTYPES[number], head & 15, head >> 4 & 3
    if (form == _LOSSLESS) != (codec == 0):
        raise CorruptFile(f"{name}: codec {codec} does not fit its quantiser")
    step, quantiser = 0.0, "lossless" if form == _LOSSLESS else "codebook"
    if form in (_LONG_STEP, _SHORT_STEP):
        stored = reader.take(4) if form == _LONG_STEP else b"\0\0" + reader.take(2)
        step, quantiser = _checked_step(struct.unpack("<f", stored)[0], name), "uniform"
    length = reader.varint()
    checksum = int.from_bytes(reader.take(3), "little") if length else 0
    return Entry(name, shape, dtype, quantiser, codec, step, length, checksum)


def _first_version(reader: ByteReader, before: Entry | None) -> Entry:
    """The next entry, in version 1."""
    shared, previous = reader.varint(), before.name.encode() if before else b""
    if shared > len(previous):
        raise CorruptFile("a tensor's name refers to more of the name before than there is")
    name = text(previous[:shared] + reader.take(reader.varint()))
    axes = reader.varint()
    if axes > AXIS_LIMIT:
        raise CorruptFile(f"{name}: {axes} axes: at most {AXIS_LIMIT} are allowed")
    shape = tuple(reader.varint() for _ in range(axes))
    codec, step = struct.unpack("<Bf", reader.take(5))
    length, checksum = reader.varint(), int.from_bytes(reader.take(4), "little")
    step = _checked_step(step, name)
    return Entry(name, shape, "float32", "uniform", codec, step, length, checksum)


def _checked_step(step: float, name: str) -> float:
    """A step that was read, if symbols can be multiplied by it."""
    if not (math.isfinite(step) and step > 0):
        raise CorruptFile(f"{name}: step {step:g}: must be positive and finite")
    return step
