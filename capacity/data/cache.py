"""Decoded arrays on the disk, memory-mapped by every worker and checked before they are used."""

import contextlib
import json
import os
import secrets
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import numpy as np

from capacity.data.dataset import DataError

INDEX = "index.json"
CHUNK = 1 << 24  # bytes checked at a time


def cached(folder: Path, build: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays kept in `folder` as read-only memory maps; `build` makes them where need be.

    Every file is written under a temporary name and moved into place, the index last. A file whose
    size or CRC-32 is not what the index says (truncated, damaged, half written) is as good as
    absent. While one process builds, others wait for it; if they cannot (no file locks on this
    file system), each builds the same and the last one to finish stays.

    Raises:
      DataError: if the folder cannot be written.
    """
    arrays = _read(folder)
    if arrays is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _lock(folder):
                arrays = _read(folder)
                if arrays is None:
                    _write(folder, build())
                    arrays = _read(folder)
        except OSError as error:
            raise DataError(
                f"{folder}: the decoded data set cannot be kept here ({error.strerror or error}), "
                "so set CAPACITY_CACHE_DIR to a folder with room that may be written"
            ) from error
    if arrays is None:
        raise DataError(f"{folder}: reads back otherwise than written, so try another disk")
    return arrays


def _read(folder: Path) -> dict[str, np.ndarray] | None:
    try:
        index = json.loads((folder / INDEX).read_text())
        return {name: _map(folder / f"{name}.npy", **entry) for name, entry in index.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _map(path: Path, size: int, crc32: int) -> np.ndarray:
    if path.stat().st_size != size or _crc32(path) != crc32:
        raise ValueError(f"{path} is damaged")
    return np.load(path, mmap_mode="r")


def _crc32(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return checksum


def _write(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    index = {}
    for name, array in arrays.items():
        with _replacing(folder / f"{name}.npy") as temporary:
            with temporary.open("wb") as file:
                np.save(file, array)
            index[name] = {"size": temporary.stat().st_size, "crc32": _crc32(temporary)}
    with _replacing(folder / INDEX) as temporary:
        temporary.write_text(json.dumps(index))


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, moved into its place only once it is written in full."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Holds the folder for this process; on a file system without locks, holds nothing."""
    lock = filelock.FileLock(folder / ".lock")
    with contextlib.suppress(NotImplementedError):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
