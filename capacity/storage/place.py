"""A folder behind an address: on this machine, a shared file system, S3 or GCS."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem

from capacity.files import whole
from capacity.tables import StoreError

PART_BYTES = 4 * 2**20  # seconds on a slow line, and well below the patience with a place


class Place:
    """Files by name in a folder; what fails is one sentence about its address.

    Attributes:
      address: as sentences have it.
      folder: on this machine; None elsewhere.
    """

    def __init__(self, address: str, files: FileSystem, path: str):
        self.address = address
        self.folder = Path(path) if isinstance(files, LocalFileSystem) else None
        self._files, self._path = files, path.rstrip("/")

    def put(self, name: str, data: bytes, step: Callable[[], object] = lambda: None) -> None:
        """A file, with the folders above it: whole or not at all, over an earlier one.

        Args:
          step: is called after each part of a large file, and in the end.
        """
        with self._told("written"):
            if self.folder is not None:
                with whole(self.folder / name) as file:
                    _parts(file, data, step)
            else:  # object stores show a whole one or none
                self._write(f"{self._path}/{name}", data, step)
        step()

    def get(self, name: str) -> bytes | None:
        """What a file holds; None if there is none."""
        with self._told("read"):
            try:
                # Arrow would open what is named like an archive.
                with self._files.open_input_stream(f"{self._path}/{name}", compression=None) as at:
                    return at.read()
            except FileNotFoundError:
                return None

    def delete(self, name: str, *, folder: bool = False) -> None:
        """A file, or a folder with all that is in it, is there no more, if it was."""
        delete = self._files.delete_dir if folder else self._files.delete_file
        with self._told("deleted from"), suppress(FileNotFoundError):
            delete(f"{self._path}/{name}")

    def listed(self) -> dict[str, int]:
        """Bytes of every file below, by its name."""
        every = FileSelector(self._path, recursive=True, allow_not_found=True)
        with self._told("listed"):
            found = [info for info in self._files.get_file_info(every) if info.is_file]
        start = len(self._path.lstrip("/")) + 1
        return {info.path.lstrip("/")[start:]: info.size for info in found}

    def changed(self, name: str) -> datetime | None:
        """When a file was written, by the clock there; None if it is not there or not told."""
        with self._told("read"):
            info = self._files.get_file_info(f"{self._path}/{name}")
        return info.mtime if info.type == FileType.File else None

    def probe(self) -> datetime | None:
        """The time there, after a file was written, read and deleted.

        Raises:
          StoreError: one of these is not possible.
        """
        name = f".probe-{uuid.uuid4().hex}"
        self.put(name, name.encode())
        now, back = self.changed(name), self.get(name)
        self.delete(name)
        if back != name.encode():
            raise StoreError(f"{self.address} does not give back what is written there")
        return now

    def _write(self, path: str, data: bytes, step: Callable[[], object]) -> None:
        with self._files.open_output_stream(path, compression=None) as out:
            _parts(out, data, step)

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException, StoreError) as error:
            raise StoreError(f"{self.address} cannot be {done} ({reason(error)})") from error


def _parts(file: BinaryIO | pa.NativeFile, data: bytes, step: Callable[[], object]) -> None:
    view = memoryview(data)
    for start in range(0, len(view), PART_BYTES):
        file.write(view[start : start + PART_BYTES])
        step()


def reason(error: BaseException) -> str:
    """What a file system says, in one line and without its own names for it."""
    if isinstance(error, StoreError) and isinstance(error.__cause__, OSError):
        error = error.__cause__
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    if found := re.search(r"AWS Error (\w+) during \w+ operation: (.*)", text):
        text = f"{found[1].replace('_', ' ').lower()}: {found[2]}"
    if found := re.search(r"google::cloud::Status\((.*)", text):
        text = found[1]
    text = re.sub(r"\w+://[^\s'\"]+", lambda found: masked(found[0]), text)
    text = re.sub(r"curlCode: .*Details: |\.? \(Request ID.*| error_info=.*|\.$", "", text)
    return text if len(text) <= 200 else f"{text[:200]} ..."


def masked(address: str) -> str:
    """An address for others to see: without what may be a secret, before an @ or behind a ?."""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", address):
        return address  # a folder
    return re.sub(r"^([^:]*:/*).*@", r"\1...@", address).partition("?")[0]
