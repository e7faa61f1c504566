"""The measures of trained weights as columns, empty where one cannot be had."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from capacity.coding import Quantised
from capacity.config import Config
from capacity.information import (
    Estimate,
    against,
    context_bits,
    differential_entropy,
    error_bound,
    float_fields,
    gaussian_like,
    message_bits,
    negentropy,
    plain_entropy,
    plain_step,
    two_part_bits,
)
from capacity.information.curvature import effective_parameters, evidence_precision, spectrum
from capacity.measured.trained import Trained
from capacity.rows.weights import Entropies, LayerMeasures, NetworkMeasures
from capacity.training import Weights

T = TypeVar("T")

FIELDS = ("sign", "exponent", "mantissa")
NO_NETWORK = NetworkMeasures(**dict.fromkeys(field.name for field in fields(NetworkMeasures)))
NO_LAYER = LayerMeasures(**dict.fromkeys(field.name for field in fields(LayerMeasures)))
"""Of what diverged."""


def layer_measures(
    trained: Weights,
    initial: Weights,
    mask: Weights,
    leaves: Mapping[str, Quantised] | None,
    fisher: Weights | None = None,
    examples: int = 0,
) -> dict[str, LayerMeasures]:
    """Of every tensor of a network.

    Only unpruned weights are compared with nulls, and with themselves before training: where the
    mask is belongs to `weight_entropy` and `context_entropy`, and a null with the same mask would
    hide behind what both spend on it. The pruned null has not that mask but the gap around 0 that
    pruning by magnitude leaves.

    Args:
      leaves: the integers in its file; None where it holds none.
      fisher: the diagonal of the Fisher information of an example, in nats.
      examples: on which it was trained.
    """
    kept = unpruned(trained, mask)
    return {
        name: _layer_measures(
            weights[kept[name]],
            initial[name][kept[name]],
            float(np.mean(kept[name])) if weights.size else 1.0,
            leaves[name].symbols if leaves else None,
            None if fisher is None else examples * fisher[name][kept[name]],
        )
        for name, weights in trained.items()
    }


def network_measures(
    config: Config,
    trained: Trained,
    weights: Weights,
    mask: Weights,
    layers: Mapping[str, LayerMeasures],
    size: int,
    examples: int,
) -> NetworkMeasures:
    """Of a network whose file has `size` bytes, trained on so many examples."""
    kept = unpruned(weights, mask)
    remaining = {name: int(np.sum(each)) for name, each in kept.items()}
    sizes = {name: each.size for name, each in weights.items()}
    means = {
        field.name: _mean(layers, field.name, sizes if "context" in field.name else remaining)
        for field in fields(Entropies)
    }
    precision, effective = _effective_parameters(config, trained, weights)
    message = message_bits(size, len(config.coding.codecs))
    return NetworkMeasures(
        **means,
        effective_parameters=effective.value if effective else None,
        effective_parameters_error=effective.standard_error if effective else None,
        prior_precision=precision,
        coded_train_loss=trained.coded_loss if math.isfinite(trained.coded_loss) else None,
        coded_train_accuracy=trained.coded_accuracy,
        two_part_bits=_or_none(two_part_bits, size, trained.coded_loss, examples),
        message_bits=message,
        error_bound=error_bound(1 - trained.coded_accuracy, examples, message),
    )


def unpruned(weights: Weights, mask: Weights) -> Weights:
    """The mask of every tensor, of those that are never pruned too."""
    return {
        name: mask[name] if name in mask else np.ones(each.shape, bool)
        for name, each in weights.items()
    }


def _layer_measures(
    trained: np.ndarray,
    initial: np.ndarray,
    density: float,
    symbols: np.ndarray | None,
    curvature: np.ndarray | None,
) -> LayerMeasures:
    entropy = _or_none(differential_entropy, trained)
    columns: dict[str, float | None] = {
        "context_entropy": None if symbols is None else _or_none(_context_entropy, symbols),
        "differential_entropy": entropy,
        "negentropy": None if entropy is None else negentropy(trained, entropy),
        "movement": _movement(trained, initial),
        "negligible_share": None if curvature is None else _negligible(trained, curvature),
    }
    gaussian, step = _or_none(gaussian_like, trained), _or_none(plain_step, trained)
    if gaussian is not None and step is not None:

        def measures(values: np.ndarray) -> dict[str, float]:
            return {"plain": plain_entropy(values, step), **float_fields(values)._asdict()}

        pruned = gaussian if density == 1 else gaussian_like(trained, density=density)
        for name, found in against(measures, trained, initial, gaussian, pruned).items():
            columns[f"{name}_entropy"] = found.value
            columns[f"{name}_entropy_over_initial"] = found.over_initial
            columns[f"{name}_entropy_over_gaussian"] = found.over_gaussian
            columns[f"{name}_entropy_over_pruned"] = found.over_pruned
    return replace(NO_LAYER, **columns)


def _movement(trained: np.ndarray, initial: np.ndarray) -> float | None:
    start = float(np.linalg.norm(initial.astype(np.float64)))
    moved = float(np.linalg.norm(trained.astype(np.float64) - initial))
    return moved / start if start > 0 else None


def _negligible(trained: np.ndarray, curvature: np.ndarray) -> float | None:
    """By the summed loss's second derivatives, in nats: those that cost less than a bit."""
    if not trained.size:
        return None
    bits = curvature.astype(np.float64) * np.square(trained, dtype=np.float64) / 2 / math.log(2)
    return float(np.mean(bits < 1))


def _context_entropy(symbols: np.ndarray) -> float:
    return context_bits(symbols) / symbols.size


def _effective_parameters(
    config: Config, trained: Trained, weights: Weights
) -> tuple[float | None, Estimate | None]:
    """The prior precision and, for it, the number."""
    found = _or_none(spectrum, trained.curvature) if trained.curvature else None
    if found is None:
        return None, None
    precision = config.curvature.prior_precision
    if precision is None:
        squares = (float(np.sum(np.square(w, dtype=np.float64))) for w in weights.values())
        precision = _or_none(evidence_precision, found, math.fsum(squares))
    return precision, None if precision is None else effective_parameters(found, precision)


def _mean(
    layers: Mapping[str, LayerMeasures], column: str, counts: Mapping[str, int]
) -> float | None:
    """Over the weights of the tensors that have a value; None where none has."""
    values = {name: getattr(layer, column) for name, layer in layers.items()}
    there = [name for name, value in values.items() if value is not None]
    if not there:
        return None
    total = math.fsum(counts[name] * values[name] for name in there)
    return total / sum(counts[name] for name in there)


def _or_none(measure: Callable[..., T], *values: Any) -> T | None:
    """None where the measure says in its `ValueError` that it cannot be had: an empty column."""
    try:
        return measure(*values)
    except ValueError:
        return None
