"""What pruning saved of a network, and what lies between it and its sibling."""

import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from capacity import pruning, training
from capacity.lottery import Round
from capacity.models import ACTIVATIONS, affine_layers, interchangeable, pads
from capacity.pruning import interpolated
from capacity.rows.pruning import PruningMeasures
from capacity.subject import Subject, architecture
from capacity.training import Weights

POINTS = 30
"""Between two networks, as Frankle et al. (2020) have it; both ends are evaluated besides."""


def pruning_measures(
    subject: Subject, played: Round, weights: Sequence[Weights], masks: Sequence[Weights]
) -> list[PruningMeasures]:
    """Of every member by its mask."""
    layers = affine_layers(subject.model)
    positions = {each.kernel: math.prod(each.outputs[:-1]) for each in layers}
    units = interchangeable(subject.model)
    activation = ACTIVATIONS[subject.config.model.activation]
    padded = pads(architecture(subject.config, subject.dataset))
    found = []
    for own, mask, barrier in zip(weights, masks, _barriers(subject, played), strict=True):
        compact = pruning.compacted(own, mask, units, activation, padded=padded).params
        saved = pruning.savings(own, mask, compact, positions)
        found.append(
            PruningMeasures(
                compression=saved.compression,
                multiply_adds=saved.original.multiply_adds,
                speed_up=saved.speed_up if math.isfinite(saved.speed_up) else None,
                compact_parameters=saved.compact.parameters,
                compact_multiply_adds=saved.compact.multiply_adds,
                barrier=barrier,
            )
        )
    return found


def _barriers(subject: Subject, played: Round) -> list[float | None]:
    """Of every member the error barrier to the network whose sibling it is; None for others."""
    if played.other is None:
        return [None] * subject.config.seeds
    errors = []
    for alpha in np.linspace(0, 1, POINTS + 2, dtype=np.float32):
        between = interpolated(played.other, played.state.params, jnp.asarray(alpha))
        quality = training.evaluate(subject.model, between, subject.test, chunk=subject.chunk)
        errors.append(1 - quality.accuracy)
    return [float(each) for each in pruning.barrier(jnp.stack(errors))]
