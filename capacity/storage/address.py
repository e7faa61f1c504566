"""What `storage_path` may be, and a place made of it: probed, within seconds."""

import re
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

import pyarrow as pa
from pyarrow.fs import (
    AwsStandardS3RetryStrategy,
    FileSystem,
    LocalFileSystem,
    S3FileSystem,
    resolve_s3_region,
)

from capacity.storage.place import Place, reason
from capacity.tables import StoreError

SCHEMES = ("file", "s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
S3_OPTIONS = ("region", "scheme", "endpoint_override", "anonymous", "tls_ca_file_path")
PROBE_SECONDS = 10.0  # to an answer; an object store takes less than one
ATTEMPTS = 2  # of one request, and between sweeps of the mirror it is tried again
CONNECT_SECONDS, REQUEST_SECONDS = 3.0, 10.0  # two attempts on a mute host end before the probe


def reached(address: str, results: Path) -> tuple[Place, datetime | None]:
    """The folder in the one at `address` that is named as that of the results, and the time there.

    Raises:
      StoreError: `address` is none, or is the results' own, or nothing there can be written, read
        and deleted.
    """

    def probed() -> tuple[Place, datetime | None]:
        place = at(address, results.name)
        if place.folder is not None:
            there, here = place.folder.resolve(), results.resolve()
            if here.is_relative_to(there) or there.is_relative_to(here):
                raise _wrong(address, f"{results} is there itself: choose another place")
        try:
            return place, place.probe()
        except StoreError as error:
            raise StoreError(f"{error}: mend this, or leave storage_path out") from error

    return _within(PROBE_SECONDS, probed, address)


def at(address: str, name: str) -> Place:
    """The folder `name` in the one at `address`, which nobody has asked yet."""
    scheme, separator, _ = address.partition(":")
    shown = f"{address.partition('?')[0].rstrip('/')}/{name}"
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]+", scheme):
        folder = Path(address).expanduser().absolute() / name
        return Place(str(folder), LocalFileSystem(), folder.as_posix())
    if scheme not in SCHEMES:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise _wrong(address, f"no file system {scheme}://; known are folders, {known}")
    if not address.startswith(f"{scheme}://"):
        raise _wrong(address, f"must be {scheme}://, then the rest")
    try:
        parts = urlsplit(address)
        if parts.password is not None or (scheme == "s3" and parts.username is not None):
            raise _wrong(
                re.sub(r"//.*@", "//...@", address),
                "a secret does not belong in a configuration: AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or a profile, tell it to the driver",
            )
        files, path = _s3(parts) if scheme == "s3" else FileSystem.from_uri(_patient(parts))
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        if isinstance(error, StoreError):
            raise
        raise _wrong(address, reason(error)) from error
    return Place(shown, files, f"{path.rstrip('/')}/{name}")


def _s3(parts: SplitResult) -> tuple[FileSystem, str]:
    """As `FileSystem.from_uri`, which tries a host that does not answer for minutes."""
    if not parts.netloc:
        raise ValueError("must be s3://bucket/folder")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    options = {key: {"true": True, "false": False}.get(v, v) for key, v in options.items()}
    if unknown := sorted(options.keys() - set(S3_OPTIONS)):
        raise ValueError(f"no option '{unknown[0]}'; known are {', '.join(S3_OPTIONS)}")
    if not options.keys() & {"region", "endpoint_override"}:
        options["region"] = resolve_s3_region(parts.netloc)
    files = S3FileSystem(
        connect_timeout=CONNECT_SECONDS,
        request_timeout=REQUEST_SECONDS,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        allow_delayed_open=True,  # one request for a small file
        **options,
    )
    return files, parts.netloc + parts.path


def _patient(parts: SplitResult) -> str:
    """Google's client tries for a quarter of an hour, unless the address says otherwise."""
    if parts.scheme not in ("gs", "gcs") or "retry_limit_seconds" in parts.query:
        return parts.geturl()
    limit = f"retry_limit_seconds={REQUEST_SECONDS:.0f}"
    return parts._replace(query=f"{parts.query}&{limit}".lstrip("&")).geturl()


def _within(seconds: float, what: Callable[[], Any], address: str) -> Any:
    """What `what` returns or raises, if it does so in time."""
    answer: list[Any] = []

    def run() -> None:
        try:
            answer.append(what())
        except Exception as error:
            answer.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answer:
        raise _wrong(address, f"nothing answers there within {seconds:.0f} s")
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]


def _wrong(address: str, rule: str) -> StoreError:
    return StoreError(f"storage_path = {address}: {rule}")
