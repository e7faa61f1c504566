"""Saturation of every layer while a network trains, inside anyone's compiled loop.

tracker = saturation.start(activations)              # outputs by layer, or their shapes
tracker = saturation.track(tracker, activations)     # in the jitted step, as often as wanted
report = saturation.report(tracker)                  # a Report by layer; then start anew
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from capacity.saturation import directions
from capacity.saturation import moments as second
from capacity.saturation import units as single
from capacity.saturation.eigenproblem import Tridiagonal, eigenvalues, tridiagonal
from capacity.saturation.moments import Moments
from capacity.saturation.units import Units

Pooling = Literal["positions", "mean", "max", "median"]
Activations = Mapping[str, Float[Array, "n ..."]]
"""By layer its outputs: [n, width], or [n, ..., channels] of a convolution."""

_POOLED = {"mean": jnp.mean, "max": jnp.max, "median": jnp.median}


class Seen(NamedTuple):
    """What is kept of one layer."""

    moments: Moments
    units: Units


Tracker = dict[str, Seen]


class Condensed(NamedTuple):
    """What a report is made of, in a few numbers per unit: cheap to take and to keep in a loop."""

    covariance: Tridiagonal
    samples: Float[Array, ""]
    units: Units


class Report(NamedTuple):
    """One layer, as it was while it was tracked.

    Attributes:
      saturation: share of the width that explains `delta` of the variance.
      dimension: that number of eigendirections.
      effective_rank, stable_rank, participation_ratio: other counts of directions.
      dead, dormant, extreme, firing: shares of units and of outputs, see `units`.
      firing_entropy: bits per unit.
      samples: how many outputs were seen, pooled ones where they are pooled.
      enough: at least two samples per unit; else all of it says more of the samples.
      spectrum: [width] eigenvalues of the covariance, the largest first, from which any other
        share can be drawn later.
    """

    saturation: Float[Array, ""]
    dimension: Int[Array, ""]
    effective_rank: Float[Array, ""]
    stable_rank: Float[Array, ""]
    participation_ratio: Float[Array, ""]
    dead: Float[Array, ""]
    dormant: Float[Array, ""]
    extreme: Float[Array, ""]
    firing: Float[Array, ""]
    firing_entropy: Float[Array, ""]
    samples: Float[Array, ""]
    enough: Bool[Array, ""]
    spectrum: Float[Array, " width"]


def start(activations: Mapping[str, Float[Array, "n ..."] | jax.ShapeDtypeStruct]) -> Tracker:
    """A tracker that has seen nothing, for layers of these widths: the last axis of each."""
    widths = {name: outputs.shape[-1] for name, outputs in activations.items()}
    return {n: Seen(second.no_moments(w), single.no_units(w)) for n, w in widths.items()}


def track(
    tracker: Tracker,
    activations: Activations,
    *,
    pooling: str = "positions",
    limits: tuple[float, float] | None = None,
) -> Tracker:
    """The tracker with one more batch; layers that it does not know are left out.

    Under `jax.vmap` it tracks each network of a population.

    Args:
      pooling: what a sample of a convolution is for its directions: every position, or one number
        for each channel. Units are counted at every position.
      limits: of the non-linearity where it is bounded, see `units.RANGES`.
    """
    found = {}
    for name, seen in tracker.items():
        x = activations[name].astype(jnp.float32)
        found[name] = Seen(
            second.merged(seen.moments, second.batch_moments(layer_samples(x, pooling))),
            single.both_units(seen.units, single.batch_units(layer_samples(x), limits)),
        )
    return found


def report(
    tracker: Tracker,
    *,
    delta: float = 0.99,
    tau: float = 0.025,
    rule: directions.Rule = "published",
) -> dict[str, Report]:
    """Each layer's directions and units; delta as in `layer_saturation`, tau in `dormant_share`."""
    return reported(condensed(tracker), delta=delta, tau=tau, rule=rule)


def condensed(tracker: Tracker, ranks: Mapping[str, int] | None = None) -> dict[str, Condensed]:
    """What reports can be made of later, many at once: most of a report's time is eigenvalues.

    Args:
      ranks: the most directions that a layer can have, where that is known: products with a kernel
        have no more than its inputs. The rounding errors of all others would look like directions.
    """
    found = {}
    for name, (moments, units) in tracker.items():
        matrix = tridiagonal(second.covariance(moments))
        most = jnp.maximum(moments.samples - 1, 0).astype(jnp.int32)
        if ranks and name in ranks:
            most = jnp.minimum(most, ranks[name])
        matrix = matrix._replace(directions=jnp.minimum(matrix.directions, most))
        found[name] = Condensed(matrix, moments.samples, units)
    return found


def reported(
    layers: Mapping[str, Condensed],
    *,
    delta: float = 0.99,
    tau: float = 0.025,
    rule: directions.Rule = "published",
) -> dict[str, Report]:
    """The reports; under `jax.vmap` of many evaluations or networks."""
    return {name: _report(layer, delta, tau, rule) for name, layer in layers.items()}


def layer_samples(
    outputs: Float[Array, "n ..."], pooling: str = "positions"
) -> Float[Array, "m w"]:
    """Outputs as rows of a matrix with one column per unit or channel.

    Raises:
      ValueError: a pooling that is none of `Pooling`.
    """
    if pooling not in ("positions", *_POOLED):
        raise ValueError(f"pooling = {pooling!r}: one of positions, {', '.join(_POOLED)}")
    if outputs.ndim > 2 and pooling != "positions":
        flat = outputs.reshape(outputs.shape[0], -1, outputs.shape[-1])
        return _POOLED[pooling](flat, axis=1)
    return outputs.reshape(-1, outputs.shape[-1])


def _report(seen: Condensed, delta: float, tau: float, rule: directions.Rule) -> Report:
    values, count = eigenvalues(seen.covariance), seen.samples
    return Report(
        saturation=directions.layer_saturation(values, delta, rule),
        dimension=directions.intrinsic_dimension(values, delta, rule),
        effective_rank=directions.effective_rank(values),
        stable_rank=directions.stable_rank(values),
        participation_ratio=directions.participation_ratio(values),
        dead=single.dead_share(seen.units),
        dormant=single.dormant_share(seen.units, tau),
        extreme=single.extreme_share(seen.units),
        firing=single.firing_share(seen.units),
        firing_entropy=single.firing_entropy(seen.units),
        samples=count,
        enough=count >= 2 * values.shape[-1],
        spectrum=values,
    )
