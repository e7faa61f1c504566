"""File systems of every kind that a place may be on, without a network."""

import contextlib
import itertools
import socket

import pyarrow.fs as arrow
import pytest

from capacity.storage.address import at
from capacity.storage.place import Place

KINDS = ("folder", "file address", "memory", "S3")
_numbers = itertools.count()


@contextlib.contextmanager
def place_of(kind, folder):
    """An empty place."""
    if kind == "folder":
        yield at(str(folder / "there"), "small")
    elif kind == "file address":
        yield at(f"file://{folder}/there", "small")
    elif kind == "memory":
        memory = pytest.importorskip("fsspec.implementations.memory").MemoryFileSystem()
        files = arrow.PyFileSystem(arrow.FSSpecHandler(memory))
        yield Place("memory://small", files, f"there{next(_numbers)}/small")
    else:
        with s3() as address:
            yield at(address, "small")


@contextlib.contextmanager
def s3():
    """The address of a new bucket on a server of this process."""
    bucket = f"bucket{next(_numbers)}"
    server = pytest.importorskip("moto.server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    running.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                patch.setenv(name, "none")
            where = f"region=us-east-1&scheme=http&endpoint_override=127.0.0.1:{port}"
            maker, _ = arrow.FileSystem.from_uri(f"s3://?{where}&allow_bucket_creation=true")
            maker.create_dir(bucket)
            yield f"s3://{bucket}/sweeps?{where}"
    finally:
        running.stop()
