"""The header of a file of coded weights: what every tensor is called, its shape and its code."""

import math
import struct
from typing import NamedTuple

from capacity.coding.errors import CorruptFile

_AXIS_LIMIT = 32  # axes of an array, which every numpy allows
_NAME_LIMIT = 1024  # bytes: shared prefixes must not make a small header a large one
_VARINT_BYTES = 5


class Entry(NamedTuple):
    """One tensor.

    Attributes:
      name: its path in the parameter tree, such as layers/0/kernel.
      shape: its axes, outermost first.
      codec: the number of its code.
      step: distance of neighbouring weights; a float32.
      length: bytes of its payload.
      checksum: CRC-32 of its payload.
    """

    name: str
    shape: tuple[int, ...]
    codec: int
    step: float
    length: int
    checksum: int

    @property
    def size(self) -> int:
        """Weights in the tensor."""
        return math.prod(self.shape)


def encoded_entries(entries: list[Entry]) -> list[bytes]:
    """The bytes of each entry; a name is written without what it shares with the one before."""
    pieces, previous = [], b""
    for entry in entries:
        name = entry.name.encode()
        if len(name) > _NAME_LIMIT:
            raise ValueError(
                f"{entry.name[:40]}...: a name of {len(name)} bytes: at most {_NAME_LIMIT}"
            )
        shared = _shared(previous, name)
        pieces.append(
            varint(shared)
            + varint(len(name) - shared)
            + name[shared:]
            + varint(len(entry.shape))
            + b"".join(map(varint, entry.shape))
            + struct.pack("<Bf", entry.codec, entry.step)
            + varint(entry.length)
            + struct.pack("<I", entry.checksum)
        )
        previous = name
    return pieces


def decoded_entries(data: bytes) -> tuple[list[Entry], list[int]]:
    """The entries that `data` consists of, and the bytes that each takes."""
    reader, entries, lengths, previous = ByteReader(data), [], [], b""
    while not reader.at_end():
        start = reader.position
        shared = reader.varint()
        if shared > len(previous):
            raise CorruptFile("a tensor's name refers to more of the name before than there is")
        previous = previous[:shared] + reader.take(reader.varint())
        if len(previous) > _NAME_LIMIT:
            raise CorruptFile(f"a tensor's name has {len(previous)} bytes: at most {_NAME_LIMIT}")
        try:
            name = previous.decode()
        except UnicodeDecodeError as error:
            raise CorruptFile("a tensor's name is not UTF-8") from error
        axes = reader.varint()
        if axes > _AXIS_LIMIT:
            raise CorruptFile(f"{name}: {axes} axes: at most {_AXIS_LIMIT} are allowed")
        shape = tuple(reader.varint() for _ in range(axes))
        codec, step = struct.unpack("<Bf", reader.take(5))
        length = reader.varint()
        (checksum,) = struct.unpack("<I", reader.take(4))
        entries.append(Entry(name, shape, codec, step, length, checksum))
        lengths.append(reader.position - start)
    return entries, lengths


def varint(value: int) -> bytes:
    """An integer from 0 to 2^35 - 1 as LEB128: seven bits a byte, lowest first, 128 for more."""
    if value >= 1 << 7 * _VARINT_BYTES:
        raise ValueError(
            f"{value} in a header: the format counts to {(1 << 7 * _VARINT_BYTES) - 1}"
        )
    digits = [value & 127]
    while value := value >> 7:
        digits[-1] |= 128
        digits.append(value & 127)
    return bytes(digits)


class ByteReader:
    """Reads bytes front to back; reading past the end is a CorruptFile."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self.position == len(self._data)

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        taken = self._data[self.position : self.position + length]
        if len(taken) < length:
            raise CorruptFile("the file ends too early")
        self.position += length
        return taken

    def varint(self) -> int:
        """The next LEB128 integer."""
        value = 0
        for place in range(_VARINT_BYTES):
            (digit,) = self.take(1)
            value |= (digit & 127) << 7 * place
            if digit < 128:
                return value
        raise CorruptFile("a number in the header is out of range")


def _shared(first: bytes, second: bytes) -> int:
    """How many bytes two names have in common at the front."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))
