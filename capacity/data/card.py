"""The measures of a data set, kept on the disk: compressing MNIST takes a minute, once."""

import hashlib
import json
import secrets
from contextlib import suppress
from pathlib import Path

import filelock
import numpy as np

from capacity.data.cache import cache_folder
from capacity.data.dataset import Dataset
from capacity.information import DatasetCard, InputCard, dataset_card, input_card


def card(dataset: Dataset) -> DatasetCard:
    """The card of the training split; what concerns the inputs alone is computed once per machine.

    Kept under the hash of the inputs, so label noise does not compress the images again. While one
    process computes, others wait for it.
    """
    inputs = dataset.train.inputs
    path = cache_folder() / "cards" / f"{_hash(inputs)}.json"
    known = _read(path)
    if known is None:
        # Without a place to keep it, it is only slower.
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(f"{path}.lock"):
                known = _read(path)
                if known is None:
                    known = input_card(inputs)
                    _write(path, known)
    return dataset_card(inputs, dataset.train.labels, dataset.class_count, known)


def _read(path: Path) -> InputCard | None:
    try:
        return InputCard(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, measured: InputCard) -> None:
    temporary = path.with_suffix(f".{secrets.token_hex(4)}")
    temporary.write_text(json.dumps(measured._asdict()))
    temporary.replace(path)


def _hash(inputs: np.ndarray) -> str:
    digest = hashlib.sha256(f"{inputs.dtype} {inputs.shape}\n".encode())
    digest.update(np.ascontiguousarray(inputs).data)
    return digest.hexdigest()[:16]
