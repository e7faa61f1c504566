"""Codec 0: weights of any type, bit for bit, byte plane by byte plane.

The bits of a float are rotated so that its exponent fills the top byte and its sign is the lowest
bit; a signed integer is folded (0, -1, 1, -2, ...). The top bytes of all weights then lie together
and have a narrow distribution, which is where trained floats can be compressed at all (Hershcovitch
et al., 2024: ZipNN). Where weights are zero, their places are told first, in symbols as any codec
codes them (0 for 0.0, 1 for -0.0, which pruning by a product leaves, 2 for all else), and the
planes hold the others only.
"""

import io
import math

import numpy as np
import zstandard
from jaxtyping import Int, Shaped, UInt, UInt8

from capacity.coding import categorical
from capacity.coding.blocks import blocks
from capacity.coding.byte_reader import ByteReader, varint
from capacity.coding.codecs import CODECS, Effort, shortest_payload
from capacity.coding.errors import CorruptFile

_RAW, _CATEGORICAL, _ZSTD = range(3)  # codes of a plane
_WINDOW = 2**25  # bytes: the most memory that a zstd frame may ask a decoder for
_ELSE = 2  # the symbol of what is no zero
_SMALL, _WORTH = 2**16, 64  # fast leaves a larger plane as it is for less than a 64th of it
_SPARSE = 64  # one zero in so many weights makes telling their places worth a trial
_PATIENT = 2**22  # bytes of a plane up to which zstd's slowest level takes seconds


def encode(weights: Shaped[np.ndarray, "*shape"], effort: Effort = "fast") -> bytes:
    """The payload of one or more weights."""
    words = _words(weights)
    dense = _joined(b"\0", words, effort)
    told = np.count_nonzero(words < _ELSE)
    if told == words.size or _SPARSE * told < words.size:
        return dense
    places = np.minimum(words, _ELSE).astype(np.int32).reshape(weights.shape)
    codec, payload = shortest_payload(places, effort)
    front = bytes([codec]) + varint(len(payload)) + payload
    return min(dense, _joined(front, words[words >= _ELSE], effort), key=len)


def decode(
    payload: bytes | memoryview, shape: tuple[int, ...], dtype: str
) -> Shaped[np.ndarray, "*shape"]:
    """The one or more weights behind a payload."""
    reader, word = ByteReader(payload), _word(np.dtype(dtype))
    (codec,) = reader.take(1)
    if codec:
        words = _decoded_places(codec, reader.view(reader.varint()), shape).astype(word)
        told = words < _ELSE
        words[~told] = _decoded_planes(reader, int(words.size - np.count_nonzero(told)), word)
    else:
        words = _decoded_planes(reader, math.prod(shape), word)
    if not reader.at_end():
        raise CorruptFile("bytes follow the last plane of a payload")
    return _weights(words, np.dtype(dtype)).reshape(shape)


def _decoded_places(
    codec: int, payload: memoryview, shape: tuple[int, ...]
) -> Int[np.ndarray, " n"]:
    if codec not in CODECS:
        raise CorruptFile(f"unknown codec {codec}")
    places = CODECS[codec].decode(payload, shape)
    if places.min() < 0 or places.max() > _ELSE:
        raise CorruptFile("the places of its zeros hold a symbol other than 0, 1 and 2")
    return places.ravel()


def _joined(front: bytes, words: UInt[np.ndarray, " n"], effort: Effort) -> bytes:
    """Every byte of the words, the most significant plane first, by its shortest code."""
    pieces, plane = [front], np.empty(words.size, np.uint8)
    for place in reversed(range(words.dtype.itemsize)):
        for part in blocks(words.size):
            plane[part] = words[part] >> 8 * place & 255
        pieces.append(_encoded_plane(plane, effort))
    return b"".join(pieces)


def _encoded_plane(plane: UInt8[np.ndarray, " n"], effort: Effort) -> bytes:
    level = 3 if effort == "fast" else 19 if plane.size <= _PATIENT else 9
    squeezed = zstandard.ZstdCompressor(level, write_content_size=False).compress(plane.data)
    counted = categorical.encode(plane)
    assert counted is not None  # 256 levels at most
    code, body = min((_CATEGORICAL, counted), (_ZSTD, squeezed), key=lambda pair: len(pair[1]))
    coded = bytes([code]) + varint(len(body)) + body
    saved = 1 + plane.size - len(coded)
    if saved <= 0 or (effort == "fast" and _WORTH * saved < plane.size > _SMALL):
        return bytes([_RAW]) + plane.tobytes()
    return coded


def _decoded_planes(reader: ByteReader, size: int, word: np.dtype) -> UInt[np.ndarray, " n"]:
    words = np.zeros(size, word)
    for place in reversed(range(word.itemsize)):
        plane = _decoded_plane(reader, size)
        for part in blocks(size):
            words[part] |= plane[part].astype(word) << 8 * place
    return words


def _decoded_plane(
    reader: ByteReader, size: int
) -> Int[np.ndarray, " n"] | UInt8[np.ndarray, " n"]:
    (code,) = reader.take(1)
    if code == _RAW:
        return np.frombuffer(reader.view(size), np.uint8)
    data = reader.view(reader.varint())
    if code == _CATEGORICAL:
        plane = categorical.decode(data, (size,))
        if plane.min() < 0 or plane.max() > 255:
            raise CorruptFile("a plane of bytes holds a symbol that is no byte")
        return plane
    if code == _ZSTD:
        return np.frombuffer(_expanded(data, size), np.uint8)
    raise CorruptFile(f"unknown code {code} of a plane of bytes")


def _expanded(data: memoryview, size: int) -> bytes:
    """What a zstd frame holds, if that is `size` bytes; never more is made of it."""
    try:
        decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        with decoder.stream_reader(io.BytesIO(data)) as stream:
            plain = stream.read(size + 1)
    except zstandard.ZstdError as error:
        raise CorruptFile("a plane of bytes is no frame of zstd") from error
    if len(plain) != size:
        raise CorruptFile(f"a plane of bytes has not the {size} that are due")
    return plain


def _words(weights: Shaped[np.ndarray, "*shape"]) -> UInt[np.ndarray, " n"]:
    """The bits of each weight as an unsigned integer, sign lowest."""
    native = weights.astype(weights.dtype.newbyteorder("="), copy=False)
    word = _word(native.dtype)
    bits, words = np.ascontiguousarray(native).ravel().view(word), np.empty(weights.size, word)
    top = 8 * word.itemsize - 1
    for part in blocks(words.size):
        here = bits[part]
        if _is_float(native.dtype):
            words[part] = here << 1 | here >> top
        elif native.dtype.kind == "i":
            words[part] = here << 1 ^ -(here >> top)
        else:
            words[part] = here
    return words


def _weights(words: UInt[np.ndarray, " n"], dtype: np.dtype) -> Shaped[np.ndarray, " n"]:
    """The inverse of `_words`, in the same memory."""
    top = 8 * dtype.itemsize - 1
    for part in blocks(words.size):
        here = words[part]
        if _is_float(dtype):
            words[part] = here >> 1 | here << top
        elif dtype.kind == "i":
            words[part] = here >> 1 ^ -(here & 1)
        elif dtype.kind == "b" and here.max() > 1:
            raise CorruptFile("a truth value is neither 0 nor 1")
    return words.view(dtype)


def _word(dtype: np.dtype) -> np.dtype:
    return np.dtype(f"u{dtype.itemsize}")


def _is_float(dtype: np.dtype) -> bool:
    return dtype.kind not in "biu"  # numpy calls the kind of ml_dtypes' floats V
