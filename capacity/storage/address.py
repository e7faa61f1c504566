"""What `storage_path` may be, and a place made of it: probed, within seconds."""

import re
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

import pyarrow as pa
from pyarrow.fs import (
    AwsStandardS3RetryStrategy,
    FileSystem,
    LocalFileSystem,
    S3FileSystem,
    resolve_s3_region,
)

from capacity.storage.place import Place, masked, reason
from capacity.tables import StoreError

SCHEMES = ("file", "s3", "gs", "gcs")
S3_OPTIONS = ("region", "scheme", "endpoint_override", "anonymous", "tls_ca_file_path")
SECRET = (
    "a secret does not belong in a configuration: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
    "a profile, tell it to the driver"
)
PROBE_SECONDS = 10.0  # to an answer; an object store takes less than one
CONNECT_SECONDS = 3.0


class Patience(NamedTuple):
    """How long clients of object stores try, whose own habit are minutes.

    Attributes:
      attempts: of a request to S3.
      silence: seconds without a byte that end one.
      retries: seconds that those to Google take in all.
    """

    attempts: int
    silence: float
    retries: int


PROBING = Patience(1, 3.0, 4)  # ends before the probe on a mute host, as the process waits for it
SENDING = Patience(2, 5.0, 10)  # what fails is sent again


def reached(address: str, results: Path) -> tuple[Place, datetime | None]:
    """The folder in the one at `address` that is named as that of the results, and the time there.

    Raises:
      StoreError: `address` is none, or is the results' own, or nothing there can be written, read
        and deleted.
    """

    def probed() -> tuple[Place, datetime | None]:
        place = at(address, results.name, PROBING)
        if place.folder is not None:
            there, here = place.folder.resolve(), results.resolve()
            if here.is_relative_to(there) or there.is_relative_to(here):
                raise _wrong(address, f"{results} is there itself: choose another place")
        try:
            now = place.probe()
        except StoreError as error:
            raise StoreError(f"{error}: mend this, or leave storage_path out") from error
        return at(address, results.name), now

    return _within(PROBE_SECONDS, probed, address)


def at(address: str, name: str, patience: Patience = SENDING) -> Place:
    """The folder `name` in the one at `address`, which nobody has asked yet."""
    scheme, separator, _ = address.partition(":")
    shown = f"{masked(address).rstrip('/')}/{name}"
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]+", scheme):
        folder = Path(address).expanduser().absolute() / name
        return Place(str(folder), LocalFileSystem(), folder.as_posix())
    if scheme.lower() == "s3" and "@" in address:
        raise _wrong(address, SECRET)
    if scheme not in SCHEMES:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise _wrong(address, f"no file system {scheme}://; known are folders, {known}")
    if not address.startswith(f"{scheme}://"):
        raise _wrong(address, f"must be {scheme}://, then the rest")
    try:
        parts = urlsplit(address)
        if parts.password is not None:
            raise _wrong(address, SECRET)
        if scheme == "s3":
            files, path = _s3(parts, patience)
        else:
            files, path = FileSystem.from_uri(_google(parts, patience))
    except (OSError, ValueError, pa.ArrowException) as error:
        told = reason(error).replace(address, masked(address))
        raise _wrong(address, told) from error
    return Place(shown, files, f"{path.rstrip('/')}/{name}")


def _s3(parts: SplitResult, patience: Patience) -> tuple[FileSystem, str]:
    """As `FileSystem.from_uri`, but for the patience."""
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
        request_timeout=patience.silence,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=patience.attempts),
        allow_delayed_open=True,  # one request for a small file
        **options,
    )
    return files, parts.netloc + parts.path


def _google(parts: SplitResult, patience: Patience) -> str:
    """An address with a limit to retries, if it is Google's and says none."""
    if parts.scheme not in ("gs", "gcs") or "retry_limit_seconds" in parts.query:
        return parts.geturl()
    limit = f"retry_limit_seconds={patience.retries}"
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
    return StoreError(f"storage_path = {masked(address)}: {rule}")
