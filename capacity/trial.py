"""One trial: a configuration to the rows of its networks, round by round.

This is the plug board. A new measure is a function in its room, a column in `rows.py` and a line
in `_network_row` or `_layer_rows`.
"""

import io
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity import training
from capacity.coding import coded_bytes, decode, dequantised, encode, tensor_step, uniform
from capacity.config import Config
from capacity.information import WeightEntropy, weight_entropy
from capacity.lottery import TICKET, Round
from capacity.models import Params
from capacity.rows import CurveRow, LayerRow, NetworkRow
from capacity.subject import Progress, Subject, prepare, rounds
from capacity.training import Quality

Weights = dict[str, np.ndarray]


class Outcome(NamedTuple):
    """Everything that one round of a trial leaves behind; the files by name."""

    round: int
    control: str
    networks: list[NetworkRow]
    layers: list[LayerRow]
    curves: list[CurveRow]
    files: dict[str, bytes]
    device: str


class Coded(NamedTuple):
    """A network's compressed file and what it decodes to."""

    relative_step: float
    steps: dict[str, float]
    entropy: WeightEntropy
    file: bytes
    decoded: Weights


def run(
    config: Config, trial: str, progress: Callable[[Progress], None] | None = None
) -> Iterator[Outcome]:
    """Trains, prunes, measures and codes the networks of `config`; yields each round once done.

    Raises:
      DataError, ModelError, TrialError: the data set, the architecture and the training do not fit
        one another; raised before anything is trained.
    """
    subject = prepare(config, trial)
    for played in rounds(subject, progress):
        yield _measured(subject, played)


def _measured(subject: Subject, played: Round) -> Outcome:
    config, state = subject.config, played.state
    params = state.best if config.training.keep == "best" else state.params
    splits = (subject.train, subject.validation, subject.test)
    qualities = [training.evaluate(subject.model, params, s, chunk=subject.chunk) for s in splits]
    diverged = np.asarray(state.diverged)
    members = _members(params)
    coded = _coded(subject, members, np.asarray(qualities[1].accuracy), diverged)
    decoded = _stacked([c.decoded if c else w for c, w in zip(coded, members, strict=True)])
    decoded_qualities = [
        training.evaluate(subject.model, decoded, s, chunk=subject.chunk) for s in splits[1:]
    ]
    masks = _members(played.mask)
    networks, layers, curves, files = [], [], [], {}
    for seed in range(config.seeds):
        own = [_of(q, seed) for q in (*qualities, *decoded_qualities)]
        best = int(state.best_evaluation[seed])
        networks.append(
            _network_row(subject, played, seed, members[seed], masks[seed], coded[seed], own, best)
        )
        layers += _layer_rows(subject, played, seed, members[seed], masks[seed], coded[seed])
        curves += _curve_rows(subject, played, seed)
        each = coded[seed]
        mark = "" if played.control == TICKET else f"-{played.control}"
        files[f"s{seed}-r{played.number}{mark}.npz"] = _checkpoint(members[seed], masks[seed])
        if each is not None:
            files[f"s{seed}-r{played.number}{mark}.cap"] = each.file
    device = jax.devices()[0].device_kind
    return Outcome(played.number, played.control, networks, layers, curves, files, device)


def _coded(
    subject: Subject, members: list[Weights], accuracies: np.ndarray, diverged: np.ndarray
) -> list[Coded | None]:
    """The file of the coarsest step within the tolerance on the validation split, per member.

    Where even the finest step is not within it, the finest is taken.
    """
    chosen: list[float | None] = [None] * len(members)
    open_members = [m for m in range(len(members)) if not diverged[m]]
    steps = sorted(subject.config.coding.steps, reverse=True)
    for relative in steps:
        if not open_members:
            break
        trials = _stacked(
            [w if diverged[m] else _rounded(w, relative) for m, w in enumerate(members)]
        )
        found = training.evaluate(subject.model, trials, subject.validation, chunk=subject.chunk)
        within = found.accuracy >= accuracies - subject.config.coding.tolerance
        for m in [m for m in open_members if within[m] or relative == steps[-1]]:
            chosen[m] = relative
            open_members.remove(m)
    return [_file(w, c) if c else None for w, c in zip(members, chosen, strict=True)]


def _rounded(weights: Weights, relative: float) -> Weights:
    return {n: dequantised(uniform(w, tensor_step(w, relative), n)) for n, w in weights.items()}


def _file(weights: Weights, relative: float) -> Coded:
    leaves = {n: uniform(w, tensor_step(w, relative), n) for n, w in weights.items()}
    steps = {name: leaf.step for name, leaf in leaves.items()}
    entropy = weight_entropy({name: leaf.symbols for name, leaf in leaves.items()})
    file = encode(leaves)
    return Coded(relative, steps, entropy, file, decode(file))


def _network_row(
    subject: Subject,
    played: Round,
    seed: int,
    weights: Weights,
    mask: Weights,
    coded: Coded | None,
    qualities: "list[_Quality]",
    best: int,
) -> NetworkRow:
    config, card = subject.config, subject.card
    every = config.training.evaluate_every
    total = sum(w.size for w in weights.values())
    prunable = sum(m.size for m in mask.values())
    kept = sum(int(m.sum()) for m in mask.values())
    # A diverged network has no qualities: the columns stay empty.
    known = qualities if coded is not None else [_UNKNOWN] * len(qualities)
    train, validation, test, coded_validation, coded_test = known
    floor = subject.dataset.conditional_entropy
    return NetworkRow(
        trial=subject.trial,
        seed=seed,
        round=played.number,
        control=played.control,
        dataset=config.data.name,
        train_size=card.examples,
        class_count=subject.dataset.class_count,
        label_noise=config.data.label_noise,
        family=config.model.family,
        width=config.model.width,
        depth=subject.depth,
        parameters=total,
        remaining=total - prunable + kept,
        density=kept / prunable,
        memory_capacity=subject.memory_capacity,
        steps=subject.evaluations * every,
        best_step=(best + 1) * every,
        diverged=coded is None,
        train_loss=train.loss,
        validation_loss=validation.loss,
        test_loss=test.loss,
        train_accuracy=train.accuracy,
        validation_accuracy=validation.accuracy,
        test_accuracy=test.accuracy,
        label_entropy=card.label_entropy,
        label_bits=card.label_bits,
        noise_floor=None if floor is None else card.examples * floor,
        pixel_entropy=card.pixel_entropy,
        input_bits=card.input_bits,
        compressor=card.compressor,
        quantisation_step=coded.relative_step if coded else None,
        weight_entropy=coded.entropy.entropy if coded else None,
        weight_bits=coded.entropy.bits if coded else None,
        pooled_entropy=coded.entropy.pooled.entropy if coded else None,
        side_information=coded.entropy.side_information if coded else None,
        coded_size=len(coded.file) if coded else None,
        coded_validation_accuracy=coded_validation.accuracy,
        coded_test_loss=coded_test.loss,
        coded_test_accuracy=coded_test.accuracy,
    )


def _layer_rows(
    subject: Subject,
    played: Round,
    seed: int,
    weights: Weights,
    mask: Weights,
    coded: Coded | None,
) -> list[LayerRow]:
    sizes = coded_bytes(coded.file) if coded else {}
    rows = []
    for name, w in weights.items():
        kept = int(mask[name].sum()) if name in mask else w.size
        entropy = coded.entropy.tensors[name] if coded else None
        rows.append(
            LayerRow(
                trial=subject.trial,
                seed=seed,
                round=played.number,
                control=played.control,
                tensor=name,
                shape="x".join(map(str, w.shape)),
                size=w.size,
                remaining=kept,
                density=kept / w.size,
                rms=float(np.sqrt(np.sum(np.square(w, dtype=np.float64)) / kept))
                if coded and kept
                else None,
                quantisation_step=coded.steps[name] if coded else None,
                weight_entropy=entropy.entropy if entropy else None,
                side_information=entropy.side_information if entropy else None,
                coded_size=sizes.get(name),
            )
        )
    return rows


def _curve_rows(subject: Subject, played: Round, seed: int) -> list[CurveRow]:
    curve = [np.asarray(line[seed], np.float64) for line in played.state.curve]
    every = subject.config.training.evaluate_every
    return [
        CurveRow(
            trial=subject.trial,
            seed=seed,
            round=played.number,
            control=played.control,
            step=(i + 1) * every,
            train_loss=float(values[0]),
            train_accuracy=float(values[1]),
            validation_loss=float(values[2]),
            validation_accuracy=float(values[3]),
        )
        for i, values in enumerate(zip(*curve, strict=True))
    ]


def _checkpoint(weights: Weights, mask: Weights) -> bytes:
    """The measured float weights and their exact mask, as an .npz file."""
    buffer = io.BytesIO()
    arrays = weights | {f"mask/{name}": np.packbits(m) for name, m in mask.items()}
    np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def _members(tree: dict) -> list[Weights]:
    """A population's arrays [members, ...] as one dictionary of host arrays per member."""
    host = {name: np.asarray(leaf) for name, leaf in tree.items()}
    count = len(next(iter(host.values())))
    return [{name: leaf[m] for name, leaf in host.items()} for m in range(count)]


def _stacked(members: list[Weights]) -> Params:
    return {name: jnp.asarray(np.stack([w[name] for w in members])) for name in members[0]}


def _of(quality: Quality, seed: int) -> "_Quality":
    return _Quality(float(quality.loss[seed]), float(quality.accuracy[seed]))


class _Quality(NamedTuple):
    """One network's loss and accuracy as a row holds them."""

    loss: float | None
    accuracy: float | None


_UNKNOWN = _Quality(None, None)
