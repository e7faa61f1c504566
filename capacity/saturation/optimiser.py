"""Saturation tracked by an optax optimiser, whose state holds the tracker."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import optax
from jaxtyping import Array, Float

from capacity.saturation.tracking import Activations, Tracker, start, track


class TrackedState(NamedTuple):
    """The optimiser's own state, and what `saturation.report` is made of."""

    optimiser: optax.OptState
    tracker: Tracker


def tracked(
    optimiser: optax.GradientTransformation,
    layers: Mapping[str, Float[Array, "n ..."] | jax.ShapeDtypeStruct],
    **how: Any,
) -> optax.GradientTransformationExtraArgs:
    """`optimiser`, whose `update` also takes `activations` and leaves the updates as they are.

    tx = saturation.tracked(optax.adam(1e-3), activations)
    updates, state = tx.update(grads, state, params, activations=activations)
    report = saturation.report(state.tracker)

    An update without `activations` tracks nothing, so that every hundredth may.

    Args:
      layers: outputs by layer, or their shapes, as `start` takes them.
      how: what else `track` takes.
    """
    inner = optax.with_extra_args_support(optimiser)

    def init(params: optax.Params) -> TrackedState:
        return TrackedState(inner.init(params), start(layers))

    def update(
        updates: optax.Updates,
        state: Any,
        params: optax.Params | None = None,
        *,
        activations: Activations | None = None,
        **extra: Any,
    ) -> tuple[optax.Updates, TrackedState]:
        tracker = state.tracker
        if activations is not None:
            tracker = track(tracker, activations, **how)
        updates, after = inner.update(updates, state.optimiser, params, **extra)
        return updates, TrackedState(after, tracker)

    return optax.GradientTransformationExtraArgs(init, update)
