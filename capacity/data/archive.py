"""Any TFDS set with an image and a label, read from array_record without TensorFlow.

What is prepared under TFDS_DATA_DIR (else ~/tensorflow_datasets) is the truth and the cache is its
decoded shadow. An entry is found by the name, configuration and version of the newest folder that
is prepared there, and by a stamp of that folder's files, so that another TFDS_DATA_DIR, version or
preparation finds another entry or none, and exact copies of a folder share one. Deciding this takes
a look at the folder, not the import of tensorflow_datasets, which only decoding needs.
"""

import functools
import hashlib
import json
import logging
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from capacity.data.cache import cached
from capacity.data.dataset import DataError, Source, Split
from capacity.data.features import image_and_label
from capacity.data.prepare import first_line, prepare

NAME = re.compile(
    r"(?P<set>[a-z]\w*)(/(?P<config>\w[\w.\-]*))?(:(?P<version>\d+\.\d+\.\d+))?", re.I
)
BATCH = 512  # records decoded at a time: __getitems__ is twice as fast as one by one


def archive(name: str, cache_dir: Path) -> Source:
    """The TFDS set `name` ("set", "set/config" or "set:version") as memory maps from the cache.

    The test split is the set's "test", or its "validation" where it has no "test".

    Raises:
      DataError: if no such set is known, it is neither prepared nor to be had, or it is not one of
        labelled images of one size.
    """
    chosen = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    if "://" in chosen:
        raise DataError(f"TFDS_DATA_DIR = {chosen}: must be a folder of this machine, so copy it")
    data_dir = Path(chosen).expanduser().absolute()
    folder = _prepared_folder(name, data_dir)
    if folder is None:
        folder = prepare(name, data_dir)
    entry = cache_dir / "data" / folder.relative_to(data_dir) / _stamp(folder)
    arrays = _mapped(entry, name, folder, data_dir)
    return Source(
        train=Split(arrays["train_inputs"], arrays["train_labels"]),
        test=Split(arrays["test_inputs"], arrays["test_labels"]),
        class_count=int(arrays["class_count"]),
        largest=float(np.iinfo(arrays["train_inputs"].dtype).max),
    )


@functools.lru_cache(maxsize=4)
def _mapped(entry: Path, name: str, folder: Path, data_dir: Path) -> dict[str, np.ndarray]:
    """Checked once by a process, whatever number of trials reads it."""
    return cached(entry, lambda: _decoded(name, folder, data_dir))


def _prepared_folder(name: str, data_dir: Path) -> Path | None:
    """Folder of the version asked for, or else of the newest one prepared under `data_dir`."""
    parts = NAME.fullmatch(name)
    if parts is None:
        return None
    folder = data_dir / parts["set"]
    if parts["config"]:
        folder /= parts["config"]
    elif (default := folder / ".config" / "metadata.json").is_file():
        folder /= json.loads(default.read_text())["default_config_name"]
    versions = [parts["version"]] if parts["version"] else _versions(folder)
    ready = [folder / version for version in versions if _is_prepared(folder / version)]
    return ready[-1] if ready else None


def _versions(folder: Path) -> list[str]:
    found = [path.name for path in folder.glob("*.*.*") if re.fullmatch(r"[\d.]+", path.name)]
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")])


def _is_prepared(folder: Path) -> bool:
    return (folder / "dataset_info.json").is_file() and (folder / "features.json").is_file()


def _stamp(folder: Path) -> str:
    """16 digits of a hash of the folder's metadata and of its files' names, sizes and times."""
    stamp = hashlib.sha256((folder / "dataset_info.json").read_bytes())
    for path in sorted(folder.iterdir()):
        status = path.stat()
        stamp.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return stamp.hexdigest()[:16]


def _decoded(name: str, folder: Path, data_dir: Path) -> dict[str, np.ndarray]:
    """{train, test}_{inputs, labels} and class_count, decoded from the records in `folder`."""
    import tensorflow_datasets as tfds  # noqa: PLC0415 - slow, and needed once only

    logging.getLogger("absl").setLevel(logging.ERROR)  # it recommends another PNG decoder

    prepared = folder.relative_to(data_dir)  # set/version or set/config/version
    try:
        builder: Any = tfds.builder(f"{prepared.parent}:{prepared.name}", data_dir=str(data_dir))
    except Exception as error:  # whatever can be wrong with two JSON files
        raise DataError(
            f"data.name = {name!r}: what {folder} says of itself cannot be read "
            f"({first_line(error)}), so prepare the set again"
        ) from error
    shape, dtype, class_count = image_and_label(name, builder.info.features)
    splits = set(builder.info.splits)
    held_out = next((split for split in ("test", "validation") if split in splits), None)
    if "train" not in splits or held_out is None:
        raise DataError(
            f"data.name = {name!r}: has the splits {sorted(splits)} where 'train' and 'test' (or "
            "'validation') are needed, so choose another set"
        )
    arrays: dict[str, np.ndarray] = {"class_count": np.asarray(class_count)}
    for split, stored in (("train", "train"), ("test", held_out)):
        try:
            records = builder.as_data_source(stored)
            inputs = np.empty((len(records), *shape), dtype)
            labels = np.empty(len(records), np.int32)
            _fill(inputs, labels, records, f"decoding {name} {stored}")
        except NotImplementedError as error:
            raise DataError(
                f"data.name = {name!r}: is prepared in {folder} in a format without random access, "
                "so prepare it in another folder with file_format='array_record'"
            ) from error
        except Exception as error:  # array_record and the image decoders each have their own
            raise DataError(
                f"data.name = {name!r}: the {stored} records in {folder} cannot be read "
                f"({first_line(error)}), so prepare the set again"
            ) from error
        if len(labels) and not 0 <= labels.min() <= labels.max() < class_count:
            raise DataError(
                f"data.name = {name!r}: some labels of its split {stored!r} are not in 0 ... "
                f"{class_count - 1}, as where a test set is unlabelled, so choose another set"
            )
        arrays |= {f"{split}_inputs": inputs, f"{split}_labels": labels}
    return arrays


def _fill(inputs: np.ndarray, labels: np.ndarray, records: Any, title: str) -> None:
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=len(labels))
        for start in range(0, len(labels), BATCH):
            rows = range(start, min(start + BATCH, len(labels)))
            for row, record in zip(rows, records.__getitems__(rows), strict=True):
                inputs[row], labels[row] = record["image"], record["label"]
            bar.update(task, completed=rows.stop)
