"""Which kind of checkpoint a path is, by its bytes when read and by its name when written."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from capacity.checkpoints import npz, orbax, safetensors
from capacity.checkpoints.checkpoint import Checkpoint, CheckpointError
from capacity.coding import CorruptFile, decode
from capacity.coding.file import MAGIC, WEIGHT_LIMIT

_WRITERS = {".npz": npz.written, ".safetensors": safetensors.written}
_FOREIGN = {
    b"\x80": "is a pickle, which is never loaded: save plain arrays as .npz or .safetensors",
    b"\x89HDF": "is an HDF5 file: save the weights as .safetensors",
    b"\x93NUMPY": "is one array: save it with its name as .npz",
}


def read(path: str | Path, *, weight_limit: int = WEIGHT_LIMIT) -> Checkpoint:
    """The tensors of a checkpoint.

    Args:
      path: .npz, .safetensors, a folder of Orbax or a compressed file; what it is called matters
        not.
      weight_limit: as for `decode`, for a compressed file.

    Raises:
      CheckpointError: not there, not readable, damaged, or of none of these kinds.
      CorruptFile: a damaged compressed file.
    """
    path = Path(path)
    if path.is_dir():
        return orbax.read(path)
    data = contents(path)
    if data[: len(MAGIC)] == MAGIC:
        try:
            return Checkpoint(decode(data, weight_limit=weight_limit), {})
        except CorruptFile as error:
            raise CorruptFile(f"{path}: {error}") from error
    if data[: len(npz.MAGIC)] == npz.MAGIC:
        return npz.read(data, path)
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise CheckpointError(f"{path} {what}")
    if safetensors.is_one(data):
        return safetensors.read(data, path)
    raise CheckpointError(
        f"{path} is no checkpoint: neither .npz nor .safetensors, nor a folder of Orbax, nor a "
        "compressed file"
    )


def contents(path: Path) -> bytes:
    """The bytes of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CheckpointError(f"{path} cannot be read ({reason})") from error


def writer(path: Path) -> Callable[[Mapping[str, np.ndarray]], bytes]:
    """What makes the bytes for `path` of named arrays: .npz or .safetensors, by its suffix.

    Raises:
      CheckpointError: another suffix.
    """
    if path.suffix not in _WRITERS:
        raise CheckpointError(f"{path}: tensors are written as {' or '.join(_WRITERS)}")
    return _WRITERS[path.suffix]
