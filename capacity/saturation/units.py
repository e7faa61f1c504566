"""What single units do: which never fire, hardly matter or sit at the ends of their range."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class Units(NamedTuple):
    """Sums over all samples seen so far.

    Attributes:
      samples: how many.
      magnitude: [width] sum of absolute outputs.
      firing: [width] samples with an output above the threshold.
      extreme: [width] samples with an output at an end of the range; 0 without a range.
    """

    samples: Float[Array, ""]
    magnitude: Float[Array, " width"]
    firing: Float[Array, " width"]
    extreme: Float[Array, " width"]


RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
"""Of the non-linearities that are bounded."""


def no_units(width: int) -> Units:
    """Of no samples."""
    return Units(jnp.zeros(()), jnp.zeros(width), jnp.zeros(width), jnp.zeros(width))


def batch_units(
    samples: Float[Array, "n width"],
    limits: tuple[float, float] | None = None,
    margin: float = 0.01,
) -> Units:
    """Of one batch of outputs behind the non-linearity.

    A unit fires where its output is above 0, or above the middle of its range.

    Args:
      limits: the range of the non-linearity; None where it has none.
      margin: share of that range at either end that counts as an end.
    """
    low, high = limits if limits else (0.0, 0.0)
    edge = margin * (high - low)
    outside = (samples < low + edge) | (samples > high - edge)
    extreme: Bool[Array, "n width"] = outside if limits else jnp.zeros(samples.shape, bool)
    return Units(
        jnp.float32(samples.shape[0]),
        jnp.sum(jnp.abs(samples), axis=0),
        jnp.sum(samples > (low + high) / 2, axis=0, dtype=jnp.float32),
        jnp.sum(extreme, axis=0, dtype=jnp.float32),
    )


def both_units(a: Units, b: Units) -> Units:
    """Of both sets of samples together."""
    return Units(*(x + y for x, y in zip(a, b, strict=True)))


def dead_share(units: Units) -> Float[Array, ""]:
    """Share of units whose output was 0 for every sample."""
    return jnp.mean(units.magnitude == 0, dtype=jnp.float32)


def dormant_share(units: Units, tau: float = 0.025) -> Float[Array, ""]:
    """Share of tau-dormant units: Sokar et al. (2023), arXiv:2302.12902, definition 3.1.

    A unit's mean absolute output is at most tau times the mean of the layer's; 1 where all are 0.
    """
    return jnp.mean(units.magnitude <= tau * jnp.mean(units.magnitude), dtype=jnp.float32)


def extreme_share(units: Units) -> Float[Array, ""]:
    """Share of outputs at an end of their range, of bounded non-linearities."""
    return jnp.mean(units.extreme) / jnp.maximum(units.samples, 1)


def firing_share(units: Units) -> Float[Array, ""]:
    """Share of (sample, unit) pairs in which the unit fires."""
    return jnp.mean(units.firing) / jnp.maximum(units.samples, 1)


def firing_entropy(units: Units) -> Float[Array, ""]:
    """Entropy of whether a unit fires, mean over units, in bits per unit, from 0 to 1.

    Times the width an upper bound on the entropy of the layer's firing pattern, which it is if
    units fire independently.
    """
    share = units.firing / jnp.maximum(units.samples, 1)
    return jnp.mean(_self_information(share) + _self_information(1 - share))


def _self_information(share: Float[Array, " width"]) -> Float[Array, " width"]:
    return -share * jnp.log2(jnp.where(share > 0, share, 1))
