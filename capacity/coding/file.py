"""The file of a compressed network: named tensors in, bytes out, and back."""

import math
import zlib
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from capacity.coding.codecs import CODECS, shortest_payload
from capacity.coding.errors import CorruptFile
from capacity.coding.header import ByteReader, Entry, decoded_entries, encoded_entries, varint
from capacity.coding.quantise import dequantised, uniform_symbols

MAGIC = b"CAPW"
VERSION = 1
WEIGHT_LIMIT = 2**28  # 1 GiB of float32: what a file may ask a decoder to allocate


def encode(params: Mapping[str, Shaped[np.ndarray, "..."]], steps: Mapping[str, float]) -> bytes:
    """The file that holds `params`, each rounded to multiples of its own step.

    Decoding gives dequantised(uniform_symbols(weights, step), step) of every tensor, bit for bit,
    in the order of `params`. The layout is in FORMAT.md.

    Args:
      params: tensors of any shape and float type under names such as layers/0/kernel.
      steps: the quantisation step of each, under the same names.

    Raises:
      UnquantisableTensor: a tensor that its step cannot represent (see uniform_symbols).
      ValueError: the names of `params` and `steps` differ.
    """
    if params.keys() != steps.keys():
        odd = sorted(params.keys() ^ steps.keys())[0]
        missing = "step" if odd in params else "tensor"
        raise ValueError(f"{odd}: no {missing} of that name: every tensor needs one step")
    entries, payloads = [], []
    for name, weights in params.items():
        symbols = uniform_symbols(weights, steps[name], name)
        codec, payload = shortest_payload(symbols.ravel()) if symbols.size else (min(CODECS), b"")
        step, checksum = float(np.float32(steps[name])), zlib.crc32(payload)
        entries.append(Entry(name, symbols.shape, codec, step, len(payload), checksum))
        payloads.append(payload)
    header = b"".join(encoded_entries(entries))
    frame = MAGIC + bytes([VERSION]) + varint(len(header)) + header
    return b"".join([frame, zlib.crc32(frame).to_bytes(4, "little"), *payloads])


def decode(data: bytes, *, weight_limit: int = WEIGHT_LIMIT) -> dict[str, Float[np.ndarray, "..."]]:
    """The float32 tensors in a file, by name and in its order.

    Args:
      data: a whole file, as `encode` wrote it.
      weight_limit: how many weights to allocate at most; a few bytes can stand for millions of
        equal weights, so that the size of a file bounds nothing.

    Raises:
      CorruptFile: truncated, altered, foreign or of a later version; in one sentence.
    """
    contents = _contents(data)
    total = sum(math.prod(max(axis, 1) for axis in entry.shape) for entry in contents.entries)
    if total > weight_limit:
        raise CorruptFile(
            f"the file claims {total} weights: decode it with a weight_limit above {weight_limit} "
            "if you trust it"
        )
    pairs = zip(contents.entries, contents.payloads, strict=True)
    return {entry.name: _tensor(entry, payload) for entry, payload in pairs}


def coded_bytes(data: bytes) -> dict[str, int]:
    """Bytes that each tensor takes in a file: its line in the header and its payload.

    They sum to the length of the file less its frame: 9 bytes and the length of the header.

    Raises:
      CorruptFile: as `decode`, except that payloads are checked but not decoded.
    """
    contents = _contents(data)
    pairs = zip(contents.entries, contents.lengths, strict=True)
    return {entry.name: length + entry.length for entry, length in pairs}


class _Contents(NamedTuple):
    entries: list[Entry]
    lengths: list[int]  # bytes of each entry in the header
    payloads: list[bytes]


def _contents(data: bytes) -> _Contents:
    """A file taken apart, every checksum and length checked."""
    reader = ByteReader(data)
    if data[: len(MAGIC)] != MAGIC:
        raise CorruptFile("this is not a file of compressed weights: it does not begin with CAPW")
    reader.take(len(MAGIC))
    (version,) = reader.take(1)
    if version != VERSION:
        raise CorruptFile(f"the file has version {version}: this decoder reads version {VERSION}")
    header = reader.take(reader.varint())
    frame = data[: reader.position]
    if zlib.crc32(frame) != int.from_bytes(reader.take(4), "little"):
        raise CorruptFile("the header is damaged: its checksum is wrong")
    entries, lengths = decoded_entries(header)
    names = [entry.name for entry in entries]
    if len(set(names)) < len(names):
        raise CorruptFile("two tensors have the same name")
    ends = list(accumulate((entry.length for entry in entries), initial=reader.position))
    if ends[-1] != len(data):
        raise CorruptFile(f"the file has {len(data)} bytes where its header says {ends[-1]}")
    payloads = [reader.take(entry.length) for entry in entries]
    for entry, payload in zip(entries, payloads, strict=True):
        if zlib.crc32(payload) != entry.checksum:
            raise CorruptFile(f"{entry.name}: the payload is damaged: its checksum is wrong")
    return _Contents(entries, lengths, payloads)


def _tensor(entry: Entry, payload: bytes) -> Float[np.ndarray, "..."]:
    """One tensor from its payload."""
    if entry.codec not in CODECS:
        raise CorruptFile(f"{entry.name}: unknown codec {entry.codec}")
    if not (math.isfinite(entry.step) and entry.step > 0):
        raise CorruptFile(f"{entry.name}: step {entry.step:g}: must be positive and finite")
    if not entry.size:
        if payload:
            raise CorruptFile(f"{entry.name}: {len(payload)} bytes for a tensor without weights")
        return np.zeros(entry.shape, np.float32)
    try:
        symbols = CODECS[entry.codec].decode(payload, entry.size)
    except CorruptFile as error:
        raise CorruptFile(f"{entry.name}: {error}") from error
    with np.errstate(over="ignore"):
        weights = dequantised(symbols, entry.step)
    if not np.all(np.isfinite(weights)):
        raise CorruptFile(f"{entry.name}: a weight beyond float32")
    return weights.reshape(entry.shape)
