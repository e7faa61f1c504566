"""What others do with a network's tensors, as bytes that decode: the rows to compare ours with.

Names, shapes and types are taken as known and cost nothing here, to the advantage of the others.
"""

import io
import lzma
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

import brotli
import numpy as np
import zstandard

from capacity.coding import huffman, planes, relative_index
from capacity.coding.errors import CorruptFile

Arrays = Sequence[np.ndarray]
_SLOW = 2**24  # bytes beyond which brotli's last level takes more than half a minute


class Baseline(NamedTuple):
    """A way to write tensors.

    Attributes:
      takes: `weights` of any type that a file can hold, or their int32 `symbols`.
      exact: whether what it is given comes back; else the nearest that it has.
      encode: tensors to bytes; None where it does not apply.
      decode: bytes, and arrays whose shapes and types are those of the tensors, to the tensors.
    """

    takes: Literal["weights", "symbols"]
    exact: bool
    encode: Callable[[Arrays], bytes | None]
    decode: Callable[[bytes, Arrays], list[np.ndarray]]


class _Squeezer(NamedTuple):
    """A general compressor of bytes; `expand` makes at most `size` + 1 of them."""

    squeeze: Callable[[bytes], bytes]
    expand: Callable[[bytes, int], bytes]


def _unzstd(data: bytes, size: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)) as stream:
        return stream.read(size + 1)


def _unbrotli(data: bytes, size: int) -> bytes:
    decoder, plain = brotli.Decompressor(), b""
    while len(plain) <= size and not decoder.is_finished():
        piece = decoder.process(data, output_buffer_limit=size + 1)
        plain, data = plain + piece, b""
        if not piece and decoder.can_accept_more_data():
            break
    return plain


_SQUEEZERS = {
    "zstd": _Squeezer(zstandard.ZstdCompressor(19).compress, _unzstd),
    "xz": _Squeezer(
        partial(lzma.compress, preset=9 | lzma.PRESET_EXTREME),
        lambda data, size: lzma.LZMADecompressor().decompress(data, size + 1),
    ),
    "brotli": _Squeezer(
        lambda data: brotli.compress(data, quality=11 if len(data) <= _SLOW else 9, lgwin=24),
        _unbrotli,
    ),
}


def _concatenated(tensors: Arrays) -> bytes:
    return b"".join(tensor.tobytes() for tensor in tensors)


def _separated(data: bytes, like: Arrays) -> list[np.ndarray]:
    if len(data) != sum(tensor.nbytes for tensor in like):
        raise CorruptFile(f"{len(data)} bytes do not fill the tensors")
    tensors, at = [], 0
    for tensor in like:
        flat = np.frombuffer(data, tensor.dtype, tensor.size, at)
        tensors.append(flat.reshape(tensor.shape))
        at += tensor.nbytes
    return tensors


def _as_type(dtype: str) -> tuple[Callable, Callable]:
    """Weights rounded to another type."""

    def encode(tensors: Arrays) -> bytes:
        with np.errstate(over="ignore", invalid="ignore"):
            return _concatenated([tensor.astype(dtype) for tensor in tensors])

    def decode(data: bytes, like: Arrays) -> list[np.ndarray]:
        narrow = _separated(data, [np.empty(tensor.shape, dtype) for tensor in like])
        return [n.astype(tensor.dtype) for n, tensor in zip(narrow, like, strict=True)]

    return encode, decode


def _int8_encode(tensors: Arrays) -> bytes | None:
    """A float32 step per tensor, the largest magnitude being 127 steps."""
    pieces = []
    for tensor in tensors:
        exact = tensor.astype(np.float32)
        step = np.max(np.abs(exact), initial=0) / np.float32(127)
        if not np.isfinite(step):
            return None
        codes = np.rint(exact / step) if step else exact
        pieces.append(struct.pack("<f", step) + codes.astype(np.int8).tobytes())
    return b"".join(pieces)


def _int8_decode(data: bytes, like: Arrays) -> list[np.ndarray]:
    tensors, at = [], 0
    for tensor in like:
        (step,) = struct.unpack_from("<f", data, at)
        codes = np.frombuffer(data, np.int8, tensor.size, at + 4).reshape(tensor.shape)
        tensors.append((codes * np.float32(step)).astype(tensor.dtype))
        at += 4 + tensor.size
    return tensors


def _squeezed(squeezer: _Squeezer) -> tuple[Callable, Callable]:
    def encode(tensors: Arrays) -> bytes:
        return squeezer.squeeze(_concatenated(tensors))

    def decode(data: bytes, like: Arrays) -> list[np.ndarray]:
        return _separated(squeezer.expand(data, sum(t.nbytes for t in like)), like)

    return encode, decode


def _squeezed_symbols(squeezer: _Squeezer) -> tuple[Callable, Callable]:
    """All symbols in the narrowest type that holds them, whose width goes first."""
    encode_all, decode_all = _squeezed(squeezer)

    def encode(tensors: Arrays) -> bytes:
        peak = max((int(np.abs(t.astype(np.int64)).max()) for t in tensors if t.size), default=0)
        width = next(w for w in (1, 2, 4) if peak < 1 << 8 * w - 1)
        return bytes([width]) + encode_all([t.astype(f"<i{width}") for t in tensors])

    def decode(data: bytes, like: Arrays) -> list[np.ndarray]:
        narrow = [np.empty(t.shape, f"<i{data[0]}") for t in like]
        return [t.astype(np.int32) for t in decode_all(data[1:], narrow)]

    return encode, decode


def _each(
    encode_one: Callable[[np.ndarray], bytes | None],
    decode_one: Callable[[bytes, np.ndarray], np.ndarray],
) -> tuple[Callable, Callable]:
    """A payload per tensor, each after its length; a tensor without weights has none."""

    def encode(tensors: Arrays) -> bytes | None:
        payloads = [encode_one(tensor) if tensor.size else b"" for tensor in tensors]
        if None in payloads:
            return None
        return b"".join(struct.pack("<I", len(p)) + p for p in payloads if p is not None)

    def decode(data: bytes, like: Arrays) -> list[np.ndarray]:
        tensors, at = [], 0
        for tensor in like:
            (length,) = struct.unpack_from("<I", data, at)
            payload = data[at + 4 : at + 4 + length]
            tensors.append(decode_one(payload, tensor) if tensor.size else tensor)
            at += 4 + length
        return tensors

    return encode, decode


def _flat(module) -> tuple[Callable, Callable]:
    return _each(
        lambda tensor: module.encode(tensor.ravel()),
        lambda payload, like: module.decode(payload, like.size).reshape(like.shape),
    )


BASELINES: dict[str, Baseline] = {
    "float32": Baseline("weights", False, *_as_type("float32")),
    "bfloat16": Baseline("weights", False, *_as_type("bfloat16")),
    "int8": Baseline("weights", False, _int8_encode, _int8_decode),
    **{f"weights, {n}": Baseline("weights", True, *_squeezed(s)) for n, s in _SQUEEZERS.items()},
    "weights, planes": Baseline(
        "weights",
        True,
        *_each(planes.encode, lambda data, like: planes.decode(data, like.shape, like.dtype.name)),
    ),
    "symbols, Huffman": Baseline("symbols", True, *_flat(huffman)),
    "symbols, relative index": Baseline("symbols", True, *_flat(relative_index)),
    **{
        f"symbols, {n}": Baseline("symbols", True, *_squeezed_symbols(s))
        for n, s in _SQUEEZERS.items()
    },
}
