"""Files of .safetensors, as PyTorch, Keras and JAX programs write them.

Length of a header, a JSON header with type, shape and place of each tensor, then their bytes. Read
here rather than by the library of that name, whose numpy side knows no bfloat16 in memory and no
float8.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from capacity.checkpoints.checkpoint import Checkpoint, CheckpointError, checked_dtype, filled

_TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
_CODES = {dtype: code for code, dtype in _TYPES.items()}
_METADATA = "__metadata__"
_LENGTH = 8  # bytes of the length of the header; its bytes end at a multiple of it


def is_one(data: bytes) -> bool:
    """Whether bytes begin as such a file does."""
    return len(data) > _LENGTH and data[_LENGTH : _LENGTH + 1] == b"{"


def read(data: bytes, path: Path) -> Checkpoint:
    """The tensors of a file, as views of `data`.

    Raises:
      CheckpointError: damaged, or a type of tensor that no compressed file can hold.
    """
    view = memoryview(data)
    start = _LENGTH + int.from_bytes(view[:_LENGTH], "little")
    if start > len(view):
        raise CheckpointError(f"{path} is damaged: it ends within its header")
    try:
        header = json.loads(bytes(view[_LENGTH:start]))
        tensors = {
            name: _tensor(name, line, view[start:], path)
            for name, line in header.items()
            if name != _METADATA
        }
    except CheckpointError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: its header is none of .safetensors") from error
    return Checkpoint(tensors, {})


def written(tensors: Mapping[str, np.ndarray]) -> bytes:
    """The file of named arrays, in their order."""
    header, pieces, at = {}, [], 0
    for name, array in tensors.items():
        piece = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        header[name] = {
            "dtype": _CODES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [at, at + len(piece)],
        }
        pieces.append(piece)
        at += len(piece)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH)
    return b"".join([len(text).to_bytes(_LENGTH, "little"), text, *pieces])


def _tensor(name: str, line: dict, data: memoryview, path: Path) -> np.ndarray:
    code, shape, (first, last) = line["dtype"], tuple(line["shape"]), line["data_offsets"]
    if code not in _TYPES:
        raise CheckpointError(f"{path}: {name} is of type {code}, which cannot be compressed")
    numbers = (*shape, first, last)
    if not all(type(n) is int and n >= 0 for n in numbers) or not first <= last <= len(data):
        raise CheckpointError(f"{path} is damaged: {name} does not lie within it")
    dtype = checked_dtype(np.dtype(_TYPES[code]), name, path)
    return filled(data[first:last], dtype, shape, name, path)
