"""Files that are whole or absent: durable writes, a lock, and their errors as sentences."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from capacity.tables import StoreError

try:
    import fcntl
except ImportError:  # Windows has no advisory locks; there, two sweeps in one folder go unnoticed
    fcntl = None

PARTIAL = ".partial-"  # prefix of what is being written; swept when the folder is opened


def write(path: str | Path, data: bytes | str) -> None:
    """Write one file whole or not at all, making its folder; a StoreError if that is impossible."""
    with whole(Path(path)) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write that is at `path` once it is complete, and never before."""
    partial = path.with_name(f"{PARTIAL}{path.name}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            sync(path.parent)
        except OSError:
            partial.unlink(missing_ok=True)
            raise


def write_folder(place: Path, contents: Mapping[str, bytes]) -> None:
    """Make a folder of files, whole or not at all; a StoreError if that is impossible.

    Its parent is there; `place` is not.
    """
    partial = place.with_name(f"{PARTIAL}{place.name}")
    with writing(place):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            for name, data in contents.items():
                write_durably(partial / name, data)
            sync(partial)
            partial.rename(place)
            sync(place.parent)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)  # give the space back at once
            raise


def remove_folder(place: Path) -> None:
    """Remove a folder, if it is there, so that no part of it is ever seen without the rest."""
    partial = place.with_name(f"{PARTIAL}{place.name}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        place.rename(partial)
    except FileNotFoundError:
        return
    shutil.rmtree(partial)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Errors of the disk as one sentence about `path`."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StoreError(
            f"{path} cannot be written ({reason}); what was finished is safe: mend this and run "
            "the command again, a sweep with --resume"
        ) from error


def write_durably(path: Path, data: bytes) -> None:
    """Write and wait until the bytes are on the disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Wait until the renames in `folder` are on the disk."""
    if os.name == "posix":  # a rename is on disk once its folder is; Windows cannot open folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def locked(path: Path, folder: Path) -> int | None:
    """A descriptor of the file at `path` that keeps other processes out until it is closed.

    A record lock: it ends with the process, and this process may take it again.
    """
    if fcntl is None:
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        raise StoreError(f"{folder} is being written by another sweep") from None
    except OSError:  # a file system without locks: carry on unprotected
        os.close(descriptor)
        return None
    return descriptor


def read_bytes(path: Path) -> bytes:
    """A whole file, or a StoreError that names it."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise StoreError(
            f"{path} is missing: carry on the sweep with --resume, which writes it"
        ) from None
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read ({(error.strerror or str(error)).lower()})"
        ) from error
