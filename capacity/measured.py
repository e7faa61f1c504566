"""What was measured of one network, as its rows.

This is the plug board. A new measure is a function in its room, a column in `rows.py` and a line
in `network_row` or `layer_rows`; what these cannot compute themselves, `trial.py` hands them in
`Measured`.
"""

from typing import NamedTuple

import numpy as np

from capacity.coded import Coded
from capacity.coding import coded_bytes
from capacity.lottery import Round
from capacity.rows import CurveRow, LayerRow, NetworkRow
from capacity.subject import Subject
from capacity.training import Weights


class Score(NamedTuple):
    """One network's loss (bits) and accuracy over a split as a row holds them: None if diverged."""

    loss: float | None
    accuracy: float | None


class Measured(NamedTuple):
    """One network after a round of training; a diverged one has no file and empty scores."""

    seed: int
    weights: Weights
    mask: Weights
    best_evaluation: int
    coded: Coded | None
    train: Score
    validation: Score
    test: Score
    coded_validation: Score
    coded_test: Score


def network_row(subject: Subject, played: Round, network: Measured) -> NetworkRow:
    """The row of one network, its trial's settings and data set included."""
    config, card, coded = subject.config, subject.card, network.coded
    every = config.training.evaluate_every
    total = sum(w.size for w in network.weights.values())
    prunable = sum(m.size for m in network.mask.values())
    kept = sum(int(m.sum()) for m in network.mask.values())
    floor = subject.dataset.conditional_entropy
    return NetworkRow(
        trial=subject.trial,
        seed=network.seed,
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
        best_step=(network.best_evaluation + 1) * every,
        diverged=coded is None,
        train_loss=network.train.loss,
        validation_loss=network.validation.loss,
        test_loss=network.test.loss,
        train_accuracy=network.train.accuracy,
        validation_accuracy=network.validation.accuracy,
        test_accuracy=network.test.accuracy,
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
        coded_validation_accuracy=network.coded_validation.accuracy,
        coded_test_loss=network.coded_test.loss,
        coded_test_accuracy=network.coded_test.accuracy,
    )


def layer_rows(subject: Subject, played: Round, network: Measured) -> list[LayerRow]:
    """A row per parameter tensor."""
    coded = network.coded
    sizes = coded_bytes(coded.file) if coded else {}
    rows = []
    for name, w in network.weights.items():
        kept = int(network.mask[name].sum()) if name in network.mask else w.size
        entropy = coded.entropy.tensors[name] if coded else None
        rows.append(
            LayerRow(
                trial=subject.trial,
                seed=network.seed,
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


def curve_rows(subject: Subject, played: Round, seed: int) -> list[CurveRow]:
    """A row per evaluation of the member `seed`."""
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
