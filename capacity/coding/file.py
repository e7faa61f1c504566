"""The file of a compressed network: named tensors in, bytes out, and back."""

import math
import zlib
from collections.abc import Callable, Collection, Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped

from capacity.coding import codebook, planes
from capacity.coding.byte_reader import ByteReader, varint
from capacity.coding.codecs import CODECS, Effort, shortest_payload
from capacity.coding.dtypes import QUANTISED, dtype_number
from capacity.coding.errors import CorruptFile
from capacity.coding.header import Entry, Quantiser, decoded_entries, encoded_entries
from capacity.coding.quantise import Quantised, check, dequantised, overflowing

MAGIC = b"CAPW"
VERSION = 2
CHECKSUM = {1: 2**32 - 1, 2: 2**24 - 1}  # bits of CRC-32 that a version keeps for each payload
WEIGHT_LIMIT = 2**28  # 1 GiB of float32: what a file may ask a decoder to allocate

Data = bytes | bytearray | memoryview


def encode(
    leaves: Mapping[str, Quantised | np.ndarray],
    *,
    effort: Effort = "fast",
    progress: Callable[[str, int], None] | None = None,
) -> bytes:
    """The file that holds `leaves`; the layout is in FORMAT.md.

    Decoding gives dequantised(leaf) of what is quantised and the very bits of plain arrays, in the
    order of `leaves`.

    Args:
      leaves: tensors of any shape under names such as layers/0/kernel.
      effort: which codecs are tried for each: see codecs.EFFORT.
      progress: called after each tensor with its name and how many weights it has.

    Raises:
      UnstorableTensor: a tensor or a name beyond the format.
    """
    entries, payloads = [], []
    for name, leaf in leaves.items():
        if isinstance(leaf, Quantised):
            entry, payload = _quantised(name, leaf, effort)
        else:
            entry, payload = _lossless(name, leaf, effort)
        entries.append(entry)
        payloads.append(payload)
        if progress:
            progress(name, entry.size)
    header = b"".join(encoded_entries(entries))
    frame = MAGIC + bytes([VERSION]) + varint(len(header)) + header
    return b"".join([frame, zlib.crc32(frame).to_bytes(4, "little"), *payloads])


def decode(
    data: Data,
    *,
    weight_limit: int = WEIGHT_LIMIT,
    names: Collection[str] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, Shaped[np.ndarray, "..."]]:
    """The tensors in a file, by name and in its order.

    Args:
      data: a whole file, as `encode` wrote it now or in an earlier version.
      weight_limit: how many weights to allocate at most; a few bytes can stand for millions of
        equal weights, so that the size of a file bounds nothing.
      names: of the tensors wanted; no byte of the others' payloads is read.
      progress: called after each tensor with its name and how many weights it has.

    Raises:
      CorruptFile: truncated, altered, foreign or of a later version; in one sentence.
      KeyError: `names` holds one that the file does not.
    """
    contents = _contents(data)
    if names is not None and (odd := set(names) - {entry.name for entry in contents.entries}):
        raise KeyError(f"{min(odd)}: no tensor of that name in the file")
    wanted = [e for e in contents.entries if names is None or e.name in names]
    total = sum(math.prod(max(axis, 1) for axis in entry.shape) for entry in wanted)
    if total > weight_limit:
        raise CorruptFile(
            f"the file claims {total} weights: decode it with a weight_limit above {weight_limit} "
            "if you trust it"
        )
    tensors = {}
    for entry in wanted:
        tensors[entry.name] = _tensor(entry, contents.payload(entry))
        if progress:
            progress(entry.name, entry.size)
    return tensors


def entries(data: Data) -> list[Entry]:
    """What the header says of each tensor, in the order of the file; no payload is read.

    Raises:
      CorruptFile: as `decode`, for the header and the length of the file.
    """
    return _contents(data).entries


def coded_bytes(data: Data) -> dict[str, int]:
    """Bytes that each tensor takes in a file: its line in the header and its payload.

    They sum to the length of the file less its frame: 9 bytes and the length of the header.

    Raises:
      CorruptFile: as `decode`, except that payloads are checked but not decoded.
    """
    contents = _contents(data)
    for entry in contents.entries:
        contents.payload(entry)
    pairs = zip(contents.entries, contents.lengths, strict=True)
    return {entry.name: length + entry.length for entry, length in pairs}


class _Contents(NamedTuple):
    """A file whose header was checked."""

    data: memoryview
    entries: list[Entry]
    lengths: list[int]  # bytes of each entry in the header
    offsets: dict[str, int]  # of the payloads in the file
    checksum: int

    def payload(self, entry: Entry) -> memoryview:
        start = self.offsets[entry.name]
        payload = self.data[start : start + entry.length]
        if zlib.crc32(payload) & self.checksum != entry.checksum:
            raise CorruptFile(f"{entry.name}: the payload is damaged: its checksum is wrong")
        return payload


def _contents(data: Data) -> _Contents:
    """A file taken apart, its header and all lengths checked."""
    view = memoryview(data)
    reader = ByteReader(view)
    if bytes(view[: len(MAGIC)]) != MAGIC:
        raise CorruptFile("this is not a file of compressed weights: it does not begin with CAPW")
    reader.take(len(MAGIC))
    (version,) = reader.take(1)
    if version not in CHECKSUM:
        raise CorruptFile(
            f"the file has version {version}: this decoder reads versions up to {VERSION}"
        )
    header = reader.take(reader.varint())
    frame = view[: reader.position]
    if zlib.crc32(frame) != int.from_bytes(reader.take(4), "little"):
        raise CorruptFile("the header is damaged: its checksum is wrong")
    found, lengths = decoded_entries(header, version)
    ends = list(accumulate((entry.length for entry in found), initial=reader.position))
    offsets = dict(zip((entry.name for entry in found), ends, strict=False))
    if len(offsets) < len(found):
        raise CorruptFile("two tensors have the same name")
    if ends[-1] != len(view):
        raise CorruptFile(f"the file has {len(view)} bytes where its header says {ends[-1]}")
    return _Contents(view, found, lengths, offsets, CHECKSUM[version])


def _lossless(name: str, leaf: np.ndarray, effort: Effort) -> tuple[Entry, bytes]:
    dtype_number(leaf.dtype, name)
    payload = planes.encode(leaf, effort) if leaf.size else b""
    return _entry(name, leaf.shape, leaf.dtype.name, "lossless", 0, 0.0, payload), payload


def _quantised(name: str, leaf: Quantised, effort: Effort) -> tuple[Entry, bytes]:
    check(leaf, name)
    symbols, step, levels, dtype = leaf
    front, quantiser, step = b"", "uniform", float(np.float32(step))
    if levels is not None and symbols.size:
        front, symbols = codebook.encoded(levels), symbols - codebook.centre(levels)
    if levels is not None:
        quantiser, step = "codebook", 0.0
    codec, body = shortest_payload(symbols, effort) if symbols.size else (min(CODECS), b"")
    payload = front + body
    return _entry(name, symbols.shape, dtype, quantiser, codec, step, payload), payload


def _tensor(entry: Entry, payload: memoryview) -> Shaped[np.ndarray, "..."]:
    """One tensor from its payload."""
    if not entry.size:
        if payload:
            raise CorruptFile(f"{entry.name}: {len(payload)} bytes for a tensor without weights")
        return np.zeros(entry.shape, entry.dtype)
    try:
        if entry.quantiser == "lossless":
            return planes.decode(payload, entry.shape, entry.dtype)
        return dequantised(_symbols(entry, payload))
    except CorruptFile as error:
        raise CorruptFile(f"{entry.name}: {error}") from error


def _symbols(entry: Entry, payload: memoryview) -> Quantised:
    """What a quantised tensor's payload holds, if it stands for weights."""
    if entry.codec not in CODECS:
        raise CorruptFile(f"unknown codec {entry.codec}")
    if entry.dtype not in QUANTISED:
        raise CorruptFile(f"symbols cannot stand for weights of type {entry.dtype}")
    levels, body = None, payload
    if entry.quantiser == "codebook":
        levels, body = codebook.decoded(payload)
    symbols = CODECS[entry.codec].decode(body, entry.shape)
    if levels is not None:
        centre = codebook.centre(levels)
        first, last = int(symbols.min()) + centre, int(symbols.max()) + centre
        if not 0 <= first <= last < len(levels):
            raise CorruptFile("a symbol beyond the codebook")
        symbols += np.int32(centre)
    quantised = Quantised(symbols, entry.step, levels, entry.dtype)
    if overflowing(quantised):
        raise CorruptFile(f"a weight beyond {entry.dtype}")
    return quantised


def _entry(
    name: str,
    shape: tuple[int, ...],
    dtype: str,
    quantiser: Quantiser,
    codec: int,
    step: float,
    payload: bytes,
) -> Entry:
    checksum = zlib.crc32(payload) & CHECKSUM[VERSION]
    return Entry(name, shape, dtype, quantiser, codec, step, len(payload), checksum)
