"""What the rest of a trial needs of what is done, as bytes that outlive its process."""

import io
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from capacity.accounts import LabelCodes
from capacity.information import Code
from capacity.lottery import Standing

_WEIGHTS = ("rewound", "whole", "last", "mask")


class Continuation(NamedTuple):
    """A trial between two rounds.

    Attributes:
      behind: outcomes that it has reported.
      capacity: that of its architecture, bits, where it was measured.
      codes: of its labels, and `standing` of its lottery; None where neither has begun.
    """

    behind: int
    capacity: float | None
    codes: LabelCodes | None = None
    standing: Standing | None = None


def to_bytes(continuation: Continuation) -> bytes:
    """An .npz file of arrays, and of one text for what is none; nothing in it can be executed."""
    behind, capacity, codes, standing = continuation
    notes: dict[str, Any] = {"behind": behind, "capacity": capacity}
    arrays: dict[str, np.ndarray] = {}
    if codes is not None:
        made = codes.codes
        notes["codes"] = {"note": codes.note, "count": None if made is None else len(made)}
        for index, code in enumerate(made or []):
            for part, values in code._asdict().items():
                arrays[f"codes/{index}/{part}"] = np.asarray(values)
    if standing is not None:
        notes["number"] = standing.number
        for part in _WEIGHTS:
            for name, leaf in getattr(standing, part).items():
                arrays[f"{part}/{name}"] = np.asarray(leaf)
    arrays["notes"] = np.frombuffer(json.dumps(notes).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def from_bytes(data: bytes) -> Continuation:
    """What `to_bytes` wrote."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        arrays = dict(stored)
    notes = json.loads(arrays.pop("notes").tobytes())
    return Continuation(
        notes["behind"], notes["capacity"], _codes(notes, arrays), _standing(notes, arrays)
    )


def _codes(notes: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> LabelCodes | None:
    if "codes" not in notes:
        return None
    note, count = notes["codes"]["note"], notes["codes"]["count"]
    if count is None:
        return LabelCodes(None, note)
    parts = [{f: arrays[f"codes/{i}/{f}"] for f in Code._fields} for i in range(count)]
    codes = [Code(p["bits"], tuple(map(int, p["cuts"])), p["weights"]) for p in parts]
    return LabelCodes(codes, note)


def _standing(notes: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Standing | None:
    if "number" not in notes:
        return None

    def tree(part: str) -> dict[str, Any]:
        start = f"{part}/"
        own = {name: leaf for name, leaf in arrays.items() if name.startswith(start)}
        return {name.removeprefix(start): jnp.asarray(leaf) for name, leaf in own.items()}

    return Standing(notes["number"], *(tree(part) for part in _WEIGHTS))
