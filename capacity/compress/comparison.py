"""One checkpoint by every codec and every baseline: bytes and seconds, decoded and compared."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from capacity.coding import Quantised, decode, dequantised, encode
from capacity.coding.baselines import BASELINES, Baseline
from capacity.coding.codebook import centre
from capacity.coding.codecs import CODECS, EFFORT, Codec

Weights = Mapping[str, np.ndarray]
Symbols = Mapping[str, Quantised | np.ndarray]


class Measured(NamedTuple):
    """What one way of writing takes.

    Attributes:
      size: bytes.
      encode: seconds.
      decode: seconds.
    """

    size: int
    encode: float
    decode: float


class Row(NamedTuple):
    """One way of writing: what it is given, its name, and the measurement; None if unfit."""

    of: str
    name: str
    measured: Callable[[], Measured | None]


def rows(weights: Weights, symbols: Symbols) -> list[Row]:
    """All ways of writing a network's weights, and of writing the symbols they are quantised to.

    Each is decoded; what should come back and does not is a RuntimeError, a bug of ours.
    """
    exact, coded = list(weights.values()), _symbols(symbols)
    table = []
    for name, baseline in BASELINES.items():
        given = exact if baseline.takes == "weights" else coded
        kind = baseline.takes if baseline.exact else "rounded weights"
        short = name.removeprefix(f"{baseline.takes}, ")
        table.append(Row(kind, short, partial(_baseline, name, baseline, given)))
    for codec in CODECS.values():
        table.append(Row("symbols", codec.name, partial(_codec, codec, coded)))
    for kind, leaves in (("weights", weights), ("symbols", symbols)):
        for effort in EFFORT:
            table.append(Row(kind, f"file, {effort}", partial(_file, leaves, effort)))
    return sorted(table, key=lambda row: ["rounded weights", "weights", "symbols"].index(row.of))


def _baseline(name: str, baseline: Baseline, given: list[np.ndarray]) -> Measured | None:
    data, encode_seconds = _timed(lambda: baseline.encode(given))
    if data is None:
        return None
    back, decode_seconds = _timed(lambda: baseline.decode(data, given))
    if baseline.exact:
        _check(name, zip(back, given, strict=True))
    return Measured(len(data), encode_seconds, decode_seconds)


def _codec(codec: Codec, symbols: list[np.ndarray]) -> Measured | None:
    given = [array for array in symbols if array.size]
    payloads, encode_seconds = _timed(lambda: [codec.encode(array) for array in given])
    fitting = [payload for payload in payloads if payload is not None]
    if len(fitting) < len(payloads):
        return None
    pairs = list(zip(fitting, given, strict=True))
    back, decode_seconds = _timed(lambda: [codec.decode(p, array.shape) for p, array in pairs])
    _check(codec.name, zip(back, given, strict=True))
    return Measured(sum(map(len, fitting)), encode_seconds, decode_seconds)


def _file(leaves: Mapping[str, Any], effort: Any) -> Measured:
    data, encode_seconds = _timed(lambda: encode(leaves, effort=effort))
    total = sum(_restored(leaf).size for leaf in leaves.values())
    back, decode_seconds = _timed(lambda: decode(data, weight_limit=max(total, 1) + len(leaves)))
    _check("file", ((back[name], _restored(leaf)) for name, leaf in leaves.items()))
    return Measured(len(data), encode_seconds, decode_seconds)


def _symbols(leaves: Symbols) -> list[np.ndarray]:
    """As a file codes them: 0 is the level nearest to zero."""
    return [
        leaf.symbols if leaf.codebook is None else leaf.symbols - np.int32(centre(leaf.codebook))
        for leaf in leaves.values()
        if isinstance(leaf, Quantised)
    ]


def _restored(leaf: Quantised | np.ndarray) -> np.ndarray:
    return dequantised(leaf) if isinstance(leaf, Quantised) else leaf


def _check(name: str, pairs) -> None:
    for back, given in pairs:
        if (back.dtype, back.shape, back.tobytes()) != (given.dtype, given.shape, given.tobytes()):
            raise RuntimeError(f"{name}: what was decoded is not what was encoded")


def _timed(function: Callable) -> tuple[Any, float]:
    began = time.perf_counter()
    return function(), time.perf_counter() - began
