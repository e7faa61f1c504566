"""One trial: a configuration to the rows and files of its networks, round by round."""

import io
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from capacity import memorising, training
from capacity.coded import compressed_population
from capacity.config import Config
from capacity.lottery import TICKET, Round
from capacity.measured import (
    Measured,
    Score,
    codec_rows,
    curve_rows,
    layer_rows,
    measured,
    network_row,
)
from capacity.rows import (
    CapacityRow,
    CodecRow,
    CurveRow,
    LayerRow,
    MemorisedRow,
    NetworkRow,
)
from capacity.subject import Progress, Subject, prepare, rounds
from capacity.trained import trained
from capacity.training import Quality, Weights, members


class Outcome(NamedTuple):
    """Everything that one round of a trial leaves behind; the files by name."""

    round: int
    control: str
    networks: list[NetworkRow]
    layers: list[LayerRow]
    curves: list[CurveRow]
    codecs: list[CodecRow]
    memorised: list[MemorisedRow]
    capacities: list[CapacityRow]
    files: dict[str, bytes]
    device: str


def run(
    config: Config, trial: str, progress: Callable[[Progress], None] | None = None
) -> Iterator[Outcome]:
    """Trains, prunes, measures and codes the networks of `config`; yields each round once done.

    With `memorising.loads` it measures the capacity of the architecture instead, as one outcome.

    Raises:
      DataError, ModelError, TrialError: the data set, the architecture and the training do not fit
        one another; raised before anything is trained.
    """
    if config.memorising.loads:
        yield _memorised(memorising.run(config, trial, progress))
        return
    subject = prepare(config, trial)
    for played in rounds(subject, progress):
        yield _outcome(subject, played)


def _outcome(subject: Subject, played: Round) -> Outcome:
    networks = _measured(subject, played)
    return Outcome(
        round=played.number,
        control=played.control,
        networks=[network_row(subject, played, each) for each in networks],
        layers=[row for each in networks for row in layer_rows(subject, played, each)],
        curves=[row for each in networks for row in curve_rows(subject, played, each.seed)],
        codecs=[row for each in networks for row in codec_rows(subject, played, each)],
        memorised=[],
        capacities=[],
        files={name: file for each in networks for name, file in _files(played, each).items()},
        device=jax.devices()[0].device_kind,
    )


def _memorised(found: memorising.Memorised) -> Outcome:
    """What a trial that memorises leaves: rows, and no networks."""
    return Outcome(
        round=0,
        control=memorising.CONTROL,
        networks=[],
        layers=[],
        curves=[],
        codecs=[],
        memorised=found.rows,
        capacities=[found.capacity],
        files={},
        device=jax.devices()[0].device_kind,
    )


def _measured(subject: Subject, played: Round) -> list[Measured]:
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
    return files


def _checkpoint(weights: Weights, mask: Weights) -> bytes:
    """The measured float weights and their exact mask, as an .npz file."""
    buffer = io.BytesIO()
    arrays = weights | {f"mask/{name}": np.packbits(m) for name, m in mask.items()}
    np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()
