"""The measures of a data set, kept on the disk: compressing MNIST takes a minute, once."""

import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import filelock
import numpy as np

from capacity.caches import cache_folder
from capacity.data.content import content
from capacity.data.dataset import Dataset
from capacity.data.streams import stream
from capacity.information import (
    DatasetCard,
    InputCard,
    Measure,
    Measures,
    Progress,
    dataset_card,
    dimension_measures,
    input_card,
    input_measures,
    label_measures,
    pixel_measures,
    sample_measures,
    usable_measures,
)

T = TypeVar("T")
EDITION = 2  # of what is kept; another number when a measure or a compressor changes


def card(dataset: Dataset) -> DatasetCard:
    """The card of the training split; what concerns the inputs alone is computed once per machine.

    Kept under the hash of the inputs, so label noise does not compress the images again. While one
    process computes, others wait for it.
    """
    inputs = dataset.train.inputs
    known = _input_card(inputs, content(inputs)[:16], _silent)
    return dataset_card(inputs, dataset.train.labels, dataset.class_count, known)


def measures(dataset: Dataset, progress: Progress | None = None) -> Measures:
    """Every measure of the training split by name; what each one is, `information.line` knows.

    Computed once per machine: what concerns the inputs alone under their hash, what concerns the
    labels too under the fingerprint of both, that is once for each subset and noise level.

    Args:
      dataset: its training split is in an order that says nothing, as `load` leaves it.
      progress: told what is being done, and the share of that which is done.
    """
    inputs, labels = dataset.train
    key, both, told = content(inputs)[:16], dataset.fingerprint, progress or _silent
    random = stream(0, "shuffled labels")
    count = dataset.class_count

    def kept(name: str, measured: Callable[[], Measures]) -> Measures:
        return _kept(f"{name}-{EDITION}", measured, _as_json, _measures)

    return {
        **label_measures(labels, count, dataset.conditional_entropy, dataset.noise),
        **input_measures(inputs, _input_card(inputs, key, told)),
        **kept(f"{key}-sample", lambda: sample_measures(inputs, told)),
        **kept(f"{key}-dimension", lambda: dimension_measures(inputs, told)),
        **kept(f"{both}-pixels", lambda: pixel_measures(inputs, labels, count, random, told)),
        **kept(f"{both}-usable", lambda: usable_measures(inputs, labels, count, told)),
    }


def _input_card(inputs: np.ndarray, key: str, told: Progress) -> InputCard:
    return _kept(
        f"{key}-{EDITION}",
        lambda: input_card(inputs, told),
        InputCard._asdict,
        lambda d: InputCard(**d),
    )


def _kept(
    name: str, build: Callable[[], T], write: Callable[[T], dict], read: Callable[[dict], T]
) -> T:
    """What `build` returns, from the file of that name where there is a sound one."""
    path = cache_folder() / "cards" / f"{name}.json"

    def known() -> T | None:
        with suppress(OSError, ValueError, TypeError, AttributeError):
            return read(json.loads(path.read_text()))
        return None

    found = known()
    if found is None:
        # Without a place to keep it, it is only slower.
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(f"{path}.lock"):
                found = known()
                if found is None:
                    found = build()
                    _write(path, write(found))
    return build() if found is None else found


def _as_json(found: Measures) -> dict:
    return {name: measure._asdict() for name, measure in found.items()}


def _measures(kept: dict) -> Measures:
    return {name: Measure(**fields) for name, fields in kept.items()}


def _write(path: Path, fields: dict) -> None:
    temporary = path.with_suffix(f".{secrets.token_hex(4)}")
    temporary.write_text(json.dumps(fields))
    temporary.replace(path)


def _silent(what: str, share: float) -> None:
    pass
