"""The codebook of a tensor, before its symbols: the values that they stand for."""

import numpy as np
from jaxtyping import Float

from capacity.coding.byte_reader import ByteReader, varint
from capacity.coding.errors import CorruptFile

LIMIT = 2**14  # levels: as many as a table of symbol counts has
_LEVEL = np.dtype("<f4")


def encoded(levels: Float[np.ndarray, " k"]) -> bytes:
    """The bytes of k float32 values."""
    return varint(len(levels)) + levels.astype(_LEVEL).tobytes()


def decoded(payload: memoryview) -> tuple[Float[np.ndarray, " k"], memoryview]:
    """The codebook at the front of a payload, and the bytes behind it."""
    reader = ByteReader(payload)
    count = reader.varint()
    if not 1 <= count <= LIMIT:
        raise CorruptFile(f"a codebook of {count} levels")
    levels = np.frombuffer(reader.take(count * _LEVEL.itemsize), _LEVEL).astype(np.float32)
    if not np.all(np.isfinite(levels)):
        raise CorruptFile("a codebook holds a level that is not finite")
    return levels, reader.rest()


def centre(levels: Float[np.ndarray, " k"]) -> int:
    """The first level nearest to zero: what is coded is the symbol less this number.

    So that zero is symbol 0 for every codec, with or without a codebook.
    """
    return int(np.argmin(np.abs(levels)))
