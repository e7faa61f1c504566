"""What a checkpoint holds for us, and what can be wrong with one."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from capacity.coding.dtypes import DTYPES
from capacity.coding.errors import OneSentence


class CheckpointError(OneSentence):
    """A checkpoint that cannot be read, in one sentence for the user."""


class Checkpoint(NamedTuple):
    """Tensors by name, and why an entry is not among them.

    Names are those of the checkpoint; where it is a nested tree, the keys from root to leaf with
    slashes between them.
    """

    tensors: dict[str, np.ndarray]
    left_out: dict[str, str]


def checked_dtype(dtype: np.dtype, name: str, path: Path) -> np.dtype:
    """The type of a tensor, if a compressed file can hold it."""
    if dtype.name not in DTYPES:
        raise CheckpointError(
            f"{path}: {name} is of type {dtype}: only {', '.join(DTYPES)} can be compressed"
        )
    return dtype


def filled(
    data: bytes | memoryview, dtype: np.dtype, shape: tuple[int, ...], name: str, path: Path
) -> np.ndarray:
    """The array in a tensor's bytes, if there are as many as its shape says."""
    due = math.prod(shape) * dtype.itemsize
    if len(data) != due:
        raise CheckpointError(f"{path}: {name} has {len(data)} bytes where its shape needs {due}")
    return np.frombuffer(data, dtype).reshape(shape)
