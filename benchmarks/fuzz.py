"""The decoder against damaged and forged files: refused in a sentence, or the very weights."""

import argparse
import os
import platform
import resource
import struct
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from capacity.coding import CorruptFile, Quantised, decode, encode, entries, kmeans, uniform
from capacity.coding.byte_reader import ByteReader, varint
from capacity.coding.codecs import CODECS
from capacity.coding.file import CHECKSUM, MAGIC, VERSION
from capacity.coding.header import Entry, encoded_entries

WEIGHT_LIMIT = 10**6  # what a forged header may make the decoder allocate
SLOW = 10.0  # seconds: a decoder that takes longer for a few hundred weights hangs

Tensors = dict[str, np.ndarray]
Mutation = Callable[[bytes, np.random.Generator], bytes]


class Outcomes(NamedTuple):
    """What became of the files of one kind.

    Attributes:
      refused: with a CorruptFile of one line.
      same: decoded to the weights of the file before.
      other: decoded to something else.
      failed: anything but a CorruptFile, by its name; must be empty.
      slowest: seconds of the file that took longest.
    """

    refused: int
    same: int
    other: int
    failed: Counter[str]
    slowest: float


def main() -> None:
    """Fuzzes and writes the table; the exit code is 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=120_000, help="in all [120000]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("results/fuzz"))
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    began, memory = time.monotonic(), _memory()
    originals = files(generator)
    share = -(-options.files // len(MUTATIONS))
    found = {
        name: fuzzed(originals, mutation, share, generator) for name, mutation in MUTATIONS.items()
    }
    lines = [
        "# Damaged and forged files",
        "",
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; `python -m benchmarks.fuzz --files {options.files} "
        f"--seed {options.seed}`, {time.monotonic() - began:.0f} s, the process grew by "
        f"{(_memory() - memory) / 2**20:.0f} MiB.",
        "",
        f"Files mutated: {', '.join(f'{name} ({len(data)} bytes)' for name, data in originals)}.",
        "",
        "| mutation | files | refused in a sentence | same weights | other weights | anything else "
        "| slowest |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, outcomes in found.items():
        refused, same, other, failed, slowest = outcomes
        lines.append(
            f"| {name} | {share} | {refused} | {same} | {other} | {failed.total()} "
            f"{' '.join(failed)} | {1000 * slowest:.0f} ms |"
        )
    text = "\n".join(lines) + "\n"
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "fuzz.md").write_text(text)
    print(text)
    wrong = [name for name, o in found.items() if o.failed or o.slowest > SLOW]
    wrong += [n for n, o in found.items() if o.other and not n.startswith("forged")]
    raise SystemExit(1 if wrong else 0)


def files(generator: np.random.Generator) -> list[tuple[str, bytes]]:
    """Valid files to mutate: every kind of leaf in one, and one of each codec."""
    weights = generator.laplace(size=(12, 25)) * (generator.random((12, 25)) < 0.4)
    leaves: dict[str, Quantised | np.ndarray] = {
        "layers/0/kernel": uniform(weights, 0.2),
        "layers/0/bias": uniform(weights[0], 1e-4),
        "layers/1/kernel": kmeans(weights.astype(np.float16), 6),
        "layers/1/bias": uniform(np.zeros(25), 0.5),
        "exact/float": weights.astype(np.float32),
        "exact/half": generator.normal(size=200).astype(np.float16),
        "exact/text": np.tile(generator.integers(0, 99, 40), 9),
        "exact/step": np.array(12345),
        "exact/flags": weights[0] > 0,
        "void": np.zeros((0, 3), np.float32),
    }
    symbols = np.rint(weights * 6).astype(np.int32)
    symbols[0, :3] = (5000, -3000, 700)
    found = [("every kind of leaf", encode(leaves))]
    for number, codec in CODECS.items():
        payload = codec.encode(symbols)
        if payload is not None:
            line = Entry("w", symbols.shape, "float32", "uniform", number, 0.5, len(payload), 0)
            found.append((codec.name, _framed([line], [payload])))
    return found


def fuzzed(
    originals: list[tuple[str, bytes]],
    mutation: Mutation,
    count: int,
    generator: np.random.Generator,
) -> Outcomes:
    """What becomes of `count` mutated files, in turn of each original."""
    told, failed, slowest = Counter(), Counter(), 0.0
    expected = [decode(data) for _, data in originals]
    for turn in range(count):
        which = turn % len(originals)
        data = mutation(originals[which][1], generator)
        began = time.perf_counter()
        try:
            tensors = decode(data, weight_limit=WEIGHT_LIMIT)
            told["same" if _equal(tensors, expected[which]) else "other"] += 1
        except CorruptFile as error:
            if "\n" in str(error) or not str(error):
                failed["a sentence of several lines"] += 1
            told["refused"] += 1
        except Exception as error:  # what this is looking for
            failed[f"{type(error).__name__}: {error}"] += 1
        slowest = max(slowest, time.perf_counter() - began)
    return Outcomes(told["refused"], told["same"], told["other"], failed, slowest)


def _bytes_changed(data: bytes, generator: np.random.Generator) -> bytes:
    """One to four bytes overwritten."""
    changed = bytearray(data)
    for at in generator.integers(len(data), size=generator.integers(1, 5) if data else 0):
        changed[at] = generator.integers(256)
    return bytes(changed)


def _bit_flipped(data: bytes, generator: np.random.Generator) -> bytes:
    changed = bytearray(data)
    changed[generator.integers(len(data))] ^= 1 << int(generator.integers(8))
    return bytes(changed)


def _truncated(data: bytes, generator: np.random.Generator) -> bytes:
    return data[: generator.integers(len(data))]


def _span_moved(data: bytes, generator: np.random.Generator) -> bytes:
    """Bytes of one place inserted at, or written over, another; or removed."""
    first, last = sorted(generator.integers(len(data) + 1, size=2))
    at = int(generator.integers(len(data) + 1))
    span = data[first:last]
    return (
        data[:at] + span + data[at:],
        data[:at] + span + data[at + len(span) :],
        data[:first] + data[last:],
    )[generator.integers(3)]


def _random_tail(data: bytes, generator: np.random.Generator) -> bytes:
    """Random bytes from some place on."""
    at = int(generator.integers(len(data)))
    return data[:at] + generator.bytes(len(data) - at)


def _forged_payload(data: bytes, generator: np.random.Generator) -> bytes:
    """A payload changed by one of the other mutations, its checksum right."""
    lines = entries(data)
    ends = np.cumsum([line.length for line in lines])
    payloads = [
        data[len(data) - ends[-1] + end - line.length :][: line.length]
        for line, end in zip(lines, ends, strict=True)
    ]
    which = int(generator.choice([i for i, line in enumerate(lines) if line.length]))
    payloads[which] = _any(payloads[which], generator)
    return _framed(lines, payloads)


def _forged_header(data: bytes, generator: np.random.Generator) -> bytes:
    """The header changed by one of the other mutations, its checksum and length right."""
    payloads = sum(line.length for line in entries(data))
    reader = ByteReader(data[5:])
    header = _any(reader.take(reader.varint()), generator)
    frame = MAGIC + bytes([VERSION]) + varint(len(header)) + header
    return frame + struct.pack("<I", zlib.crc32(frame)) + data[len(data) - payloads :]


DAMAGE: dict[str, Mutation] = {
    "one to four bytes overwritten": _bytes_changed,
    "a bit flipped": _bit_flipped,
    "truncated": _truncated,
    "a span moved, copied or removed": _span_moved,
    "random from some place on": _random_tail,
}
MUTATIONS: dict[str, Mutation] = {
    **DAMAGE,
    "forged: a payload, with its checksum": _forged_payload,
    "forged: the header, with its checksum": _forged_header,
}


def _any(data: bytes, generator: np.random.Generator) -> bytes:
    return list(DAMAGE.values())[generator.integers(len(DAMAGE))](data, generator)


def _framed(lines: list[Entry], payloads: list[bytes]) -> bytes:
    """A file with right lengths and checksums."""
    right = [
        line._replace(length=len(p), checksum=zlib.crc32(p) & CHECKSUM[VERSION])
        for line, p in zip(lines, payloads, strict=True)
    ]
    header = b"".join(encoded_entries(right))
    frame = MAGIC + bytes([VERSION]) + varint(len(header)) + header
    return b"".join([frame, struct.pack("<I", zlib.crc32(frame)), *payloads])


def _equal(first: Tensors, second: Tensors) -> bool:
    return list(first) == list(second) and all(
        (w.dtype, w.shape, w.tobytes()) == (v.dtype, v.shape, v.tobytes())
        for w, v in zip(first.values(), second.values(), strict=True)
    )


def _memory() -> int:
    """Bytes that this process had at most."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
