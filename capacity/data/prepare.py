"""Getting a TFDS set that is not on the disk yet, or saying at once why it cannot be had."""

import logging
import os
import re
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from capacity.data.dataset import DataError
from capacity.data.features import check_labelled
from capacity.data.options import suggestion

PATIENCE = 2.5  # seconds in which a host must answer; TFDS itself would retry for minutes
WITHOUT_DOWNLOAD = "use 'digits', 'gaussian' or 'teacher', which need no download"


def prepare(name: str, data_dir: Path) -> Path:
    """Downloads `name` and prepares it under `data_dir` as array_record; returns its folder.

    Raises:
      DataError: if TFDS has no such set, its host does not answer, or the preparation fails.
    """
    try:
        import tensorflow_datasets as tfds  # noqa: PLC0415
    except ImportError as error:
        raise DataError(
            f"data.name = {name!r}: needs the package tensorflow-datasets ({error}), so install "
            f"it, or {WITHOUT_DOWNLOAD}"
        ) from error

    logging.getLogger("absl").setLevel(logging.ERROR)  # of folders that are not prepared
    known = tfds.list_builders(with_community_datasets=False)
    if re.split("[/:]", name, maxsplit=1)[0] not in known:
        embedded = ("digits", "gaussian", "teacher")
        near = suggestion(name, (*embedded, *known))
        raise DataError(
            f"data.name = {name!r}: is no embedded set, no TFDS set and not prepared in {data_dir}"
            + (near or f", so {WITHOUT_DOWNLOAD}")
        )
    try:
        builder: Any = tfds.builder(name, data_dir=os.fspath(data_dir), file_format="array_record")
    except Exception as error:  # an unknown version or configuration, told by TFDS in many ways
        reason = first_line(error).split('}": ')[-1].split(". Here are")[0]
        raise DataError(f"data.name = {name!r}: {reason}") from error
    check_labelled(name, builder.info.features)
    folder = Path(builder.data_dir)
    if builder.is_prepared():
        return folder
    hosts = {urllib.parse.urlsplit(url).hostname or "" for url in builder.url_infos or ()}
    hosts = hosts - {""} or {"storage.googleapis.com"}
    if not _reachable(hosts):
        raise DataError(
            f"data.name = {name!r}: not prepared in {data_dir} and {' or '.join(sorted(hosts))} "
            "does not answer, so point TFDS_DATA_DIR at a folder that holds it as array_record, "
            f"prepare it once where there is a network, or {WITHOUT_DOWNLOAD}"
        )
    try:
        builder.download_and_prepare()
    except Exception as error:  # anything from a full disk to a changed checksum
        if _wants_tensorflow(error):
            raise DataError(
                f"data.name = {name!r}: preparing it needs TensorFlow once (pip install "
                f"tensorflow) and reading it does not, so prepare it into {data_dir} on any "
                f"machine, or {WITHOUT_DOWNLOAD}"
            ) from error
        raise DataError(
            f"data.name = {name!r}: could not be prepared in {data_dir}: {first_line(error)}"
        ) from error
    return folder


def _reachable(hosts: Iterable[str]) -> bool:
    """Whether any host, or the proxy that stands before all of them, accepts a connection in time.

    Each is asked in a thread of its own, for a name server that is gone may hold a caller for long.
    """
    proxy = urllib.request.getproxies().get("https")
    if proxy:
        parts = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        targets = [(parts.hostname or "", parts.port or 8080)]
    else:
        targets = [(host, 443) for host in hosts]
    answered = threading.Event()

    def ask(target: tuple[str, int]) -> None:
        try:
            socket.create_connection(target, timeout=PATIENCE).close()
        except OSError:
            return
        answered.set()

    threads = [threading.Thread(target=ask, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    if len(threads) == 1:
        threads[0].join(PATIENCE)  # back at once when the only host refuses
        return answered.is_set()
    return answered.wait(PATIENCE)


def _wants_tensorflow(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ImportError) or "No module named 'tensorflow" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def first_line(error: BaseException) -> str:
    """The first line of what `error` says, or its type if it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
