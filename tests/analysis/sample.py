"""Rows such as a sweep makes, with relations between the columns that real networks have too."""

import math

import numpy as np

from capacity.rows import CodecRow, CurveRow, LayerRow, NetworkRow
from capacity.rows.columns import columns
from capacity.rows.ledger import LedgerRow

CLASSES, TRAIN_SIZE = 10, 1438
KINDS = ("networks", "layers", "curves", "codecs", "ledger")


def sample(
    *, widths=(16, 32, 64), noises=(0.0, 0.2), seeds=3, rounds=8, diverged=True, controls=False
):
    """By trial: settings, and networks, layers, curves, codecs, ledger by the table's name.

    The last seed of the first trial diverges in its last round.
    """
    made = {}
    for noise in noises:
        for width in widths:
            trial = f"digits-mlp-w{width}-d2-n{noise:g}"
            settings = {
                "data": {"name": "digits", "label_noise": noise},
                "model": {"family": "mlp", "width": width, "hidden": [width, width]},
                "training": {"learning_rate": 0.001, "weight_decay": None, "augment": False},
            }
            shape = {"seeds": seeds, "rounds": rounds, "controls": controls}
            tables = _trial(trial, width, noise, lost=diverged and not made, **shape)
            made[trial] = settings, dict(zip(KINDS, tables, strict=True))
    return made


def rows(**options):
    """The same as a list for each table, of all trials."""
    made = [tables for _, tables in sample(**options).values()]
    return [[row for tables in made for row in tables[kind]] for kind in KINDS]


def _trial(trial, width, noise, *, seeds, rounds, lost, controls):
    rng = np.random.default_rng([width, int(100 * noise)])
    networks, layers, curves, codecs = [], [], [], []
    for seed in range(seeds):
        for r in range(rounds):
            diverged = lost and seed == seeds - 1 and r == rounds - 1
            for control in ("ticket", "reinitialised")[: 1 + (controls and r > 0)]:
                network = _network(
                    rng, trial, width, noise, seed=seed, r=r, lost=diverged, control=control
                )
                networks.append(network)
                layers += [_layer(network, f"layers/{i}/kernel", (width, width)) for i in range(3)]
                curves += _curve(rng, network, diverged)
                codecs += [] if diverged else [_codec(network)]
    return networks, layers, curves, codecs, [_ledger(network) for network in networks]


def _network(rng, trial, width, noise, *, seed, r, lost, control):
    parameters = 64 * width + width + width**2 + width + 10 * width + 10
    density = 0.8**r if r else 1.0
    effective = parameters * density * (1.0 if control == "ticket" else 0.6)
    ceiling = 0.975 - 0.25 * noise - 0.3 / width
    accuracy = ceiling - 0.5 * math.exp(-effective / 260) + rng.normal(0, 0.004)
    entropy = 4.3 * density - sum(
        p * math.log2(p) if 0 < p < 1 else 0.0 for p in (density, 1 - density)
    )
    loss = 0.05 + 2.2 * (1 - accuracy)
    floor = (
        0.0
        if noise == 0
        else TRAIN_SIZE * (-(1 - noise) * math.log2(1 - noise) - noise * math.log2(noise / 9))
    )
    measured = {
        "train_loss": loss / 2,
        "validation_loss": loss,
        "test_loss": loss * 1.05,
        "train_accuracy": min(1.0, accuracy + 0.02),
        "validation_accuracy": accuracy,
        "test_accuracy": accuracy - 0.003,
        "weight_entropy": entropy,
        "weight_bits": entropy * parameters,
        "pooled_entropy": 2.5,
        "side_information": 900.0,
        "coded_size": int(entropy * parameters / 8 * 1.01) + 180,
        "coded_validation_accuracy": accuracy - 0.004,
        "coded_test_loss": loss * 1.1,
        "coded_test_accuracy": accuracy - 0.006,
        **_entropies(density),
        "effective_parameters": 20 * math.sqrt(effective) * (1 - noise / 2),
        "effective_parameters_error": 5.0,
        "prior_precision": 1.5,
        "coded_train_loss": loss / 1.9,
        "coded_train_accuracy": min(1.0, accuracy + 0.018),
    }
    measured["two_part_bits"] = (
        8 * measured["coded_size"] + TRAIN_SIZE * measured["coded_train_loss"]
    )
    measured["message_bits"] = 8 * measured["coded_size"] + 20.0
    measured["error_bound"] = 1 - math.exp(-measured["message_bits"] / TRAIN_SIZE)
    return NetworkRow(
        trial=trial,
        seed=seed,
        round=r,
        control=control,
        dataset="digits",
        train_size=TRAIN_SIZE,
        class_count=CLASSES,
        label_noise=noise,
        family="mlp",
        width=float(width),
        depth=2,
        parameters=parameters,
        remaining=int(parameters * density),
        density=density,
        memory_capacity=65 * width + min(width * (width + 1), width) + min(10 * (width + 1), width),
        steps=900,
        best_step=700 + 20 * seed,
        diverged=lost,
        label_entropy=3.3219,
        label_bits=TRAIN_SIZE * 3.3219,
        noise_floor=floor,
        compression=1 / density,
        multiply_adds=parameters,
        speed_up=1 / density,
        compact_parameters=parameters,
        compact_multiply_adds=parameters,
        barrier=None,
        pixel_entropy=2.5,
        input_bits=120000.0,
        compressor="xz",
        codec="uniform",
        quantisation_step=0.25,
        **(dict.fromkeys(measured) if lost else measured),
    )


def _layer(network, tensor, shape):
    size = math.prod(shape)
    values = _entropies(network.density) | {
        f"{part}_entropy{mark}": 0.99 if not mark else -0.01
        for part in ("sign", "mantissa")
        for mark in ("", "_over_initial", "_over_gaussian", "_over_pruned")
    }
    values |= {"differential_entropy": -1.5, "negentropy": 0.6 * (1 - network.density)}
    values |= {"movement": 1.2, "negligible_share": 0.4, "saturation": 0.3, "dead": 0.1}
    values |= {"saturation_after": 0.4, "effective_rank": 9.0, "stable_rank": 2.0}
    values |= {"participation_ratio": 3.0, "dormant": 0.1, "firing_entropy": 0.7}
    return LayerRow(
        trial=network.trial,
        seed=network.seed,
        round=network.round,
        control=network.control,
        tensor=tensor,
        shape="x".join(map(str, shape)),
        size=size,
        remaining=int(size * network.density),
        density=network.density,
        rms=None if network.diverged else 0.1,
        quantisation_step=None if network.diverged else 0.025,
        weight_entropy=network.weight_entropy,
        side_information=None if network.diverged else 300.0,
        coded_size=None if network.diverged else size // 2,
        **(dict.fromkeys(values) if network.diverged else values),
    )


def _entropies(density):
    """Weights that have grown, Gaussian until pruning takes the small ones."""
    return {
        "plain_entropy": 4.05 - 0.6 * (1 - density),
        "plain_entropy_over_initial": 0.6,
        "plain_entropy_over_pruned": 0.1,
        "exponent_entropy_over_pruned": 0.1,
        "plain_entropy_over_gaussian": -0.6 * (1 - density),
        "exponent_entropy": 2.55 - 1.1 * (1 - density),
        "exponent_entropy_over_initial": 0.0,
        "exponent_entropy_over_gaussian": -1.1 * (1 - density),
        "context_entropy": 3.5 * density,
    }


def _curve(rng, network, lost):
    found = []
    for step in range(0, 901, 50):
        end = network.validation_loss or 1.0
        loss = end + (3.4 - end) * math.exp(-step / 90) + abs(rng.normal(0, 0.01))
        loss = math.nan if lost and step > 300 else loss
        found.append(
            CurveRow(
                trial=network.trial,
                seed=network.seed,
                round=network.round,
                control=network.control,
                step=step,
                train_loss=loss * 0.8,
                train_accuracy=0.9,
                validation_loss=loss,
                validation_accuracy=0.9,
            )
        )
    return found


def _codec(network):
    return CodecRow(
        trial=network.trial,
        seed=network.seed,
        round=network.round,
        control=network.control,
        codec="uniform",
        setting=0.25,
        coded_size=network.coded_size,
        within_tolerance=True,
        validation_loss=network.validation_loss,
        validation_accuracy=network.coded_validation_accuracy,
        test_loss=network.coded_test_loss,
        test_accuracy=network.coded_test_accuracy,
        encode_seconds=0.1,
        decode_seconds=0.01,
    )


def _ledger(network):
    """1000 bits of code: what training leaves, then 300 that generalise, then what is memorised."""
    known = {name: getattr(network, name) for name in ("trial", "seed", "round", "control")}
    row = dict.fromkeys(columns(LedgerRow)) | known | {"label_bits": network.label_bits}
    row |= {"uniform_bits": TRAIN_SIZE * math.log2(CLASSES), "noise_floor": network.noise_floor}
    row |= {"prequential_bits": 1000.0, "prequential_error": 40.0}
    row |= {name: network.memory_capacity for name in row if name.startswith("memory_capacity")}
    row |= {"threshold_bits": 2 * network.remaining, "float32_bits": 32 * network.remaining}
    if not network.diverged:
        fit = 100.0 + 10 * network.seed
        row |= {"fit_bits": fit, "weight_information": 1000 - fit, "generalising_bits": 300.0}
        row |= {"memorised_bits": 700 - fit, "generalising_error": 50.0, "memorised_error": 30.0}
        row |= {"coded_bits": 8 * network.coded_size, "compression_gain": 0.75}
    return LedgerRow(**row)
