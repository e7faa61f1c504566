"""The same integers by every coder: bytes of real streams, each decoded and compared."""

import json
import math
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.coding_networks import Network, turned
from benchmarks.coding_peers import SAME_INTEGERS
from benchmarks.grid import Grid, verdict
from capacity.coding import Quantised, decode, dequantised, encode
from capacity.coding.baselines import BASELINES
from capacity.coding.codecs import CODECS, Effort
from capacity.information import weight_entropy

FAST, MAX = "context", "correlation"  # the codecs behind the two presets
NNCODEC = "NNCodec 2.1.3"
ENTROPY = "zero-order entropy per layer (no file)"
PRESETS: tuple[Effort, ...] = ("fast", "max")
TURNED = ", units reordered"

Symbols = Mapping[str, np.ndarray]


class Size(NamedTuple):
    """What one coder makes of one network's integers.

    Attributes:
      size: bytes; None where it cannot write them.
      encode, decode: seconds of the core, all threads together; None where nothing was run.
    """

    network: str
    coder: str
    size: int | None
    encode: float | None = None
    decode: float | None = None


def sizes(network: Network, nncodec: str | None) -> Iterator[Size]:
    """Every coder on the integers of a network, and ours also with hidden units reordered.

    Args:
      nncodec: an interpreter that has the peer; without one its sizes are missing.
    """
    symbols = network.symbols()
    told = sum(tensor.bits for tensor in weight_entropy(symbols).tensors.values())
    yield Size(network.name, ENTROPY, math.ceil(told / 8))
    given = list(symbols.values())
    for name, baseline in BASELINES.items():
        if baseline.takes == "symbols":
            work = (
                lambda b=baseline: b.encode(given),
                lambda data, b=baseline: b.decode(data, given),
            )
            yield _measured(network, name.removeprefix("symbols, "), given, *work)
    for mark, order in (("", symbols), (TURNED, turned(symbols))):
        arrays = list(order.values())
        if nncodec:
            yield _peer(network, NNCODEC + mark, order, nncodec)
        for codec in CODECS.values():
            if mark and codec.name not in (FAST, MAX):
                continue
            yield _measured(
                network,
                codec.name + mark,
                arrays,
                lambda c=codec, a=arrays: _all(map(c.encode, a)),
                lambda payloads, c=codec, a=arrays: [
                    c.decode(payload, array.shape)
                    for payload, array in zip(payloads, a, strict=True)
                ],
            )
        leaves = {n: Quantised(q, network.steps[n]) for n, q in order.items()}
        restored = [dequantised(leaf) for leaf in leaves.values()]
        for effort in PRESETS:
            yield _measured(
                network,
                f"whole file, {effort}{mark}",
                restored,
                lambda e=effort, held=leaves: encode(held, effort=e),
                lambda data: list(decode(data).values()),
            )


def _measured(
    network: Network,
    coder: str,
    given: Sequence[np.ndarray],
    write: Callable[[], Any],
    read: Callable[[Any], list[np.ndarray]],
) -> Size:
    began = time.process_time()
    data = write()
    middle = time.process_time()
    if data is None:
        return Size(network.name, coder, None)
    back = read(data)
    ended = time.process_time()
    if not all(np.array_equal(a, b) for a, b in zip(back, given, strict=True)):
        raise RuntimeError(f"{coder}: what was decoded is not what was encoded")
    size = len(data) if isinstance(data, bytes) else sum(map(len, data))
    return Size(network.name, coder, size, middle - began, ended - middle)


def _all(payloads: Iterator[bytes | None]) -> list[bytes] | None:
    found = list(payloads)
    return None if None in found else [payload for payload in found if payload is not None]


def _peer(network: Network, coder: str, symbols: Symbols, python: str) -> Size:
    """The shortest of NNCodec's streams."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "symbols.npz"
        np.savez(file, **symbols)  # pyright: ignore[reportArgumentType]
        script = Path(__file__).parent / "nncodec_streams.py"
        run = subprocess.run([python, script, file], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{python}: {run.stderr.strip().splitlines()[-1]}")
    best = min(map(json.loads, run.stdout.splitlines()), key=lambda line: line["size"])
    return Size(network.name, coder, best["size"], best["encode"], best["decode"])


class Sizes:
    """Sizes by network and coder, and how they compare with the peer's."""

    def __init__(self, found: Sequence[Size]):
        self._found = {(each.network, each.coder): each for each in found}
        self.coders = list(dict.fromkeys(each.coder for each in found))

    def size(self, network: str, coder: str) -> int | None:
        """Bytes, if they were measured."""
        each = self._found.get((network, coder))
        return each.size if each else None

    def peer(self, network: str) -> tuple[int, str] | None:
        """NNCodec's bytes, and whether they were measured here or are quoted."""
        if measured := self.size(network, NNCODEC):
            return measured, "measured"
        if network in SAME_INTEGERS:
            return SAME_INTEGERS[network].nncodec, "quoted"
        return None

    def against(self, network: str, coder: str) -> float | None:
        """Bytes over those of NNCodec, less one."""
        size, peer = self.size(network, coder), self.peer(network)
        return size / peer[0] - 1 if size and peer else None


def size_grid(title: str, networks: Sequence[Network], found: Sizes) -> Grid:
    """A line per coder, a column per network: bytes, and what that is against NNCodec."""
    return Grid(
        title,
        ("coder", *(network.title for network in networks)),
        [(coder, *(_cell(found, n.name, coder) for n in networks)) for coder in found.coders],
    )


def _cell(found: Sizes, network: str, coder: str) -> str:
    size, ratio = found.size(network, coder), found.against(network, coder)
    if size is None:
        return "-"
    return f"{size:,}" if ratio is None or coder == NNCODEC else f"{size:,} ({ratio:+.1%})"


def target_grid(networks: Sequence[Network], found: Sizes) -> Grid:
    """What the issue asks for and what was reached; without a target, against the prototypes."""
    rows = []
    for network in networks:
        asked, peer = SAME_INTEGERS[network.name], found.peer(network.name)
        assert peer is not None
        for preset, codec, bar, prototype in (
            ("fast", FAST, asked.fast, asked.fast_prototype),
            ("max", MAX, asked.max, asked.max_prototype),
        ):
            for coder in (codec, codec + TURNED):
                size, ratio = found.size(network.name, coder), found.against(network.name, coder)
                rows.append(
                    (
                        f"{network.title}: {preset}{coder.removeprefix(codec)}",
                        f"<= {bar:,}" if bar else "",
                        f"{size:,}" if size else "-",
                        verdict(size <= bar) if size and bar else "",
                        f"{prototype:,}",
                        f"{peer[0]:,} {peer[1]}",
                        f"{ratio:+.1%}" if ratio is not None else "-",
                    )
                )
    header = ("what", "to reach", "bytes", "met", "prototype", "NNCodec", "against NNCodec")
    return Grid("Targets of size", header, rows)


def ratio_grid(networks: Sequence[Network], found: Sizes) -> Grid:
    """On networks trained here: ours against NNCodec, beside the ratio that the targets ask for."""
    rows = []
    for network in networks:
        peer, dense = found.peer(network.name), ", dense" in network.title
        asked = SAME_INTEGERS["lenet300_dense_s0" if dense else "lenet300_p08_s0"]
        cells = [f"{found.size(network.name, ENTROPY):,}", f"{peer[0]:,}" if peer else "-"]
        for codec, bar in ((FAST, asked.fast), (MAX, asked.max)):
            limit = (bar or 0) / asked.nncodec - 1
            ratio = found.against(network.name, codec + TURNED)
            cells += [
                _cell(found, network.name, codec + TURNED),
                f"<= {limit:+.1%}",
                "" if ratio is None else verdict(ratio <= limit),
            ]
        rows.append((network.title, *cells))
    header = ("network", "entropy", "NNCodec", "fast", "to reach", "met", "max", "to reach", "met")
    title = "Networks trained here: bytes with units reordered, and against NNCodec's as stored"
    return Grid(title, header, rows)


SIZE_HEADER = ("network", "coder", "bytes", "encode_core_seconds", "decode_core_seconds")
