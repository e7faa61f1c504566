"""One network after a round, and its rows: its own, and of its tensors, evaluations and files."""

from dataclasses import asdict
from typing import NamedTuple

import numpy as np

from capacity.coded import Compressed, headline
from capacity.coding import coded_bytes
from capacity.information import WeightEntropy, weight_entropy
from capacity.lottery import Round
from capacity.measured.saturation import NO_USE, layer_use
from capacity.measured.trained import Trained
from capacity.measured.weights import NO_LAYER, NO_NETWORK, layer_measures, network_measures
from capacity.rows import CodecRow, CurveRow, LayerRow, NetworkRow
from capacity.rows.pruning import PruningMeasures
from capacity.rows.weights import LayerMeasures, NetworkMeasures
from capacity.subject import Subject
from capacity.training import Weights


class Score(NamedTuple):
    """One network's loss (bits) and accuracy over a split as a row holds them: None if diverged."""

    loss: float | None
    accuracy: float | None


class Measured(NamedTuple):
    """One network after a round of training.

    Attributes:
      codecs: under every codec, in the order of the configuration; empty if it diverged.
      best: the smallest of these files that is within the tolerance.
      entropy: of the integers in that file; None where it holds none.
      layers, network: what the weights hold.
      pruning: what the mask saves.
    """

    seed: int
    weights: Weights
    mask: Weights
    best_evaluation: int
    train: Score
    validation: Score
    test: Score
    codecs: list[Compressed]
    best: Compressed | None
    entropy: WeightEntropy | None
    layers: dict[str, LayerMeasures]
    network: NetworkMeasures
    pruning: PruningMeasures


def measured(
    subject: Subject,
    seed: int,
    weights: Weights,
    mask: Weights,
    best_evaluation: int,
    scores: tuple[Score, Score, Score],
    codecs: list[Compressed],
    trained: Trained,
    pruning: PruningMeasures,
) -> Measured:
    """A network with its scores on training, validation and test split, and its files."""
    best = headline(codecs)
    leaves = best.file.leaves if best else None
    entropy = weight_entropy({n: q.symbols for n, q in leaves.items()}) if leaves else None
    layers, network = dict.fromkeys(weights, NO_LAYER), NO_NETWORK
    if best:
        layers = layer_measures(
            weights, trained.initial, mask, leaves, trained.fisher, subject.card.examples
        )
        network = network_measures(
            subject.config,
            trained,
            weights,
            mask,
            layers,
            size=len(best.file.content),
            examples=subject.card.examples,
        )
    return Measured(
        seed,
        weights,
        mask,
        best_evaluation,
        *scores,
        codecs,
        best,
        entropy,
        layers,
        network,
        pruning,
    )


def network_row(subject: Subject, played: Round, network: Measured) -> NetworkRow:
    """The row of one network, its trial's settings and data set included."""
    config, card, best, entropy = subject.config, subject.card, network.best, network.entropy
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
        width=config.model.first_width,
        depth=subject.depth,
        parameters=total,
        remaining=total - prunable + kept,
        density=kept / prunable,
        memory_capacity=subject.memory_capacity,
        steps=subject.evaluations * every,
        best_step=(network.best_evaluation + 1) * every,
        diverged=best is None,
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
        codec=best.codec if best else None,
        quantisation_step=best.file.setting if best else None,
        weight_entropy=entropy.entropy if entropy else None,
        weight_bits=entropy.bits if entropy else None,
        pooled_entropy=entropy.pooled.entropy if entropy else None,
        side_information=entropy.side_information if entropy else None,
        coded_size=len(best.file.content) if best else None,
        coded_validation_accuracy=best.validation_accuracy if best else None,
        coded_test_loss=best.test_loss if best else None,
        coded_test_accuracy=best.test_accuracy if best else None,
        **asdict(network.network),
        **asdict(network.pruning),
    )


def layer_rows(subject: Subject, played: Round, network: Measured) -> list[LayerRow]:
    """A row per parameter tensor."""
    best = network.best
    leaves = best.file.leaves if best else None
    sizes = coded_bytes(best.file.content) if best and leaves else {}
    last = subject.config.training.keep == "last"
    evaluation = subject.evaluations - 1 if last else network.best_evaluation
    used = layer_use(played, network.seed, evaluation)
    rows = []
    for name, w in network.weights.items():
        kept = int(network.mask[name].sum()) if name in network.mask else w.size
        entropy = network.entropy.tensors[name] if network.entropy else None
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
                if best and kept
                else None,
                quantisation_step=(leaves[name].step or None) if leaves else None,
                weight_entropy=entropy.entropy if entropy else None,
                side_information=entropy.side_information if entropy else None,
                coded_size=sizes.get(name),
                **asdict(network.layers[name]),
                **asdict(used.get(name, NO_USE)),
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


def codec_rows(subject: Subject, played: Round, network: Measured) -> list[CodecRow]:
    """A row per codec: size against accuracy."""
    return [
        CodecRow(
            trial=subject.trial,
            seed=network.seed,
            round=played.number,
            control=played.control,
            codec=each.codec,
            setting=each.file.setting,
            coded_size=len(each.file.content),
            within_tolerance=each.within,
            validation_loss=each.validation_loss,
            validation_accuracy=each.validation_accuracy,
            test_loss=each.test_loss,
            test_accuracy=each.test_accuracy,
            encode_seconds=each.file.encode_seconds,
            decode_seconds=each.file.decode_seconds,
        )
        for each in network.codecs
    ]
