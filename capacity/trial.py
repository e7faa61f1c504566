"""One trial: a configuration to the rows and files of its networks, round by round."""

import io
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from capacity import memorising, training
from capacity.accounts import label_codes, ledger_rows
from capacity.coded import compressed_population
from capacity.config import Config
from capacity.continuing import Continuation, from_bytes, to_bytes
from capacity.lottery import TICKET, Round
from capacity.measured import (
    Measured,
    Score,
    codec_rows,
    curve_rows,
    layer_rows,
    measured,
    network_row,
    pruning_measures,
)
from capacity.measured.saturation import saturation_rows, spectra
from capacity.measured.trained import trained
from capacity.rounds import Train, alone, rounds
from capacity.subject import Progress, Subject, prepare
from capacity.training import Quality, Weights, members


class Outcome(NamedTuple):
    """What a trial has to say at once: of its capacity, or of one round.

    Attributes:
      behind: how many came before.
      control: of the round; "memorising" of the capacity.
      rows: by the name of their table.
      files: by their names.
      continuation: what `run` goes on from behind this outcome; None within a round and at the end.
    """

    behind: int
    round: int
    control: str
    rows: dict[str, list[Any]]
    files: dict[str, bytes]
    device: str
    continuation: bytes | None = None


def run(
    config: Config,
    trial: str,
    progress: Callable[[Progress], None] | None = None,
    continuation: bytes | None = None,
    start: Mapping[str, Any] | None = None,
    train: Train = alone,
) -> Iterator[Outcome]:
    """Measures what `config` asks for; yields the capacity and each round once done.

    With `memorising.loads`, the capacity of the architecture. Unless its training has no steps,
    networks: trained, pruned, measured, coded, and put into the ledger.

    Args:
      continuation: of an outcome of the same configuration and start, behind which to go on; what
        comes then is what would have come.
      start: weights [seeds, ...] that the dense networks start from; drawn unless given.

    Raises:
      DataError, ModelError, TrialError: the data set, the architecture and the training do not fit
        one another; raised before anything is trained.
    """
    now = Continuation(0, None) if continuation is None else from_bytes(continuation)
    count, capacity = itertools.count(now.behind), now.capacity
    subject = prepare(config, trial) if config.training.on else None
    if config.memorising.on and now.behind == 0:
        found = memorising.run(config, trial, progress)
        capacity = found.capacity.capacity
        rows = {"memorised": found.rows, "capacities": [found.capacity]}
        onward = to_bytes(Continuation(1, capacity)) if subject else None
        yield Outcome(next(count), 0, "memorising", rows, {}, _device(), onward)
    if subject is None:
        return
    subject = subject._replace(start=start)
    codes = now.codes or label_codes(subject, progress)
    for studied, played in rounds(subject, progress, now.standing, train):
        networks = measured_round(studied, played)
        rows = {
            "networks": [network_row(studied, played, each) for each in networks],
            "layers": [row for each in networks for row in layer_rows(studied, played, each)],
            "curves": [row for each in networks for row in curve_rows(studied, played, each.seed)],
            "saturation": [
                row for each in networks for row in saturation_rows(studied, played, each.seed)
            ],
            "codecs": [row for each in networks for row in codec_rows(studied, played, each)],
            "ledger": ledger_rows(studied, played, networks, codes, capacity),
        }
        files = {name: file for each in networks for name, file in _files(played, each).items()}
        index, onward = next(count), None
        if played.standing is not None:
            onward = to_bytes(Continuation(index + 1, capacity, codes, played.standing))
        yield Outcome(index, played.number, played.control, rows, files, _device(), onward)


def _device() -> str:
    return jax.devices()[0].device_kind


def measured_round(subject: Subject, played: Round) -> list[Measured]:
    """Every member of a round: evaluated, coded, decoded and evaluated again."""
    config, state = subject.config, played.state
    params = state.best if config.training.keep == "best" else state.params
    splits = (subject.train, subject.validation, subject.test)
    qualities = [training.evaluate(subject.model, params, s, chunk=subject.chunk) for s in splits]
    weights, masks = members(params), members(played.mask)
    diverged = np.asarray(state.diverged)
    accuracies = np.asarray(qualities[1].accuracy)
    codecs = compressed_population(subject, weights, played.mask, accuracies, diverged)
    beyond = trained(subject, played, params, weights, codecs)
    saved = pruning_measures(subject, played, weights, masks)
    return [
        measured(
            subject,
            seed,
            weights[seed],
            masks[seed],
            int(state.best_evaluation[seed]),
            _scores(qualities, seed, bool(diverged[seed])),
            codecs[seed],
            beyond[seed],
            saved[seed],
        )
        for seed in range(config.seeds)
    ]


def _scores(qualities: list[Quality], seed: int, diverged: bool) -> tuple[Score, Score, Score]:
    """On the training, validation and test split."""
    train, validation, test = (_score(quality, seed, diverged) for quality in qualities)
    return train, validation, test


def _score(quality: Quality, seed: int, diverged: bool) -> Score:
    if diverged:
        return Score(None, None)
    return Score(float(quality.loss[seed]), float(quality.accuracy[seed]))


def _files(played: Round, network: Measured) -> dict[str, bytes]:
    """The network's weights and mask, and its compressed file."""
    mark = "" if played.control == TICKET else f"-{played.control}"
    stem = f"s{network.seed}-r{played.number}{mark}"
    files = {f"{stem}.npz": _checkpoint(network.weights, network.mask)}
    if network.best is not None and network.best.file.leaves is not None:
        files[f"{stem}.cap"] = network.best.file.content
    if (content := spectra(played, network.seed)) is not None:
        files[f"{stem}-spectra.npz"] = content
    return files


def _checkpoint(weights: Weights, mask: Weights) -> bytes:
    """The measured float weights and their exact mask, as an .npz file."""
    buffer = io.BytesIO()
    arrays = weights | {f"mask/{name}": np.packbits(m) for name, m in mask.items()}
    np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()
