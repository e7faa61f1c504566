"""The saturation of a network's layers at every evaluation, without leaving the device."""

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from capacity import saturation
from capacity.models import Model, Params, is_linear, parameter_shapes, tapped
from capacity.names import natural
from capacity.saturation import Condensed, Pooling, Report


class Watch(NamedTuple):
    """What each evaluation looks at; part of the compiled program.

    Attributes:
      examples: of the validation split, the first ones; 0 for no look at all.
      delta: share of the variance that directions are counted for.
      tau: of dormant units.
      pooling: what a sample of a convolution is.
      limits: of the non-linearity, where it is bounded.
    """

    examples: int = 0
    delta: float = 0.99
    tau: float = 0.025
    pooling: Pooling = "positions"
    limits: tuple[float, float] | None = None


class Watched(NamedTuple):
    """By layer, of a kernel's products and of what the layer hands on behind them.

    Fields are [evaluations, ...], and 0 where none has happened yet: condensed as training leaves
    them, then reports.
    """

    before: Mapping[str, Condensed | Report]
    after: Mapping[str, Condensed | Report]


def unwatched(model: Model, watch: Watch, evaluations: int) -> Watched:
    """Room for looks of so many evaluations; of no layer without examples."""
    if not watch.examples:
        return Watched({}, {})
    params = parameter_shapes(model)
    x = jax.ShapeDtypeStruct((watch.examples, *model.input_shape), jnp.float32)
    shapes = jax.eval_shape(lambda p, x: watched(model, watch, p, x)[0], params, x)
    return jax.tree.map(lambda leaf: jnp.zeros((evaluations, *leaf.shape), leaf.dtype), shapes)


def watched(model: Model, watch: Watch, params: Params, inputs: Array) -> tuple[Watched, Array]:
    """What a network's layers do on `inputs` [examples, *input_shape], condensed; its logits."""
    taps = tapped(model, params, inputs)
    before = {name.removesuffix("/kernel"): outputs for name, outputs in taps.outputs.items()}
    ranks = {name: math.prod(params[f"{name}/kernel"].shape[:-1]) for name in before}
    behind = _condensed(watch, taps.activations, {}, watch.limits)
    return Watched(_condensed(watch, before, ranks, None), behind), taps.logits


def noted(all_reports: Watched, report: Watched, now: Int[Array, ""]) -> Watched:
    """With the report of the evaluation `now`."""
    return jax.tree.map(lambda line, value: line.at[now].set(value), all_reports, report)


@functools.partial(jax.jit, static_argnames=("model", "watch"))
def part_of(model: Model, watch: Watch, seen: Watched) -> Watched:
    """Of a wider network's condensed looks [members, evaluations, ...] those at `model` in it.

    Units that were added have no variance, but for the rounding of a constant, and are the last
    ones of every layer: reflections leave them where they are.
    """
    like = unwatched(model, watch, 1)
    found = jax.tree.map(lambda x, own: x[(..., *map(slice, own.shape[1:]))], seen, like)
    params = parameter_shapes(model)
    before = {}
    for name, layer in found.before.items():
        matrix, rank = layer.covariance, math.prod(params[f"{name}/kernel"].shape[:-1])
        matrix = matrix._replace(directions=jnp.minimum(matrix.directions, rank))
        before[name] = layer._replace(covariance=matrix)
    return found._replace(before=before)


def all_reports(watch: Watch, seen: Watched) -> Watched:
    """Of all members and evaluations, [members, evaluations, ...], together: that is cheap."""
    found = ({name: _reports(watch, layer) for name, layer in part.items()} for part in seen)
    return Watched(*found)


def saturation_now(watch: Watch, seen: Watched, evaluation: int) -> dict[str, float] | None:
    """By layer the members' mean saturation at an evaluation of a training that goes on.

    Before the non-linearity; None where nothing is watched.
    """
    if not watch.examples:
        return None
    now = jax.tree.map(lambda leaf: leaf[:, evaluation : evaluation + 1], seen.before)
    found = {name: _reports(watch, layer) for name, layer in now.items()}
    names = sorted(found, key=lambda name: (name == "output", natural(name)))
    return {name: float(np.mean(np.asarray(found[name].saturation))) for name in names}


def _condensed(
    watch: Watch,
    outputs: saturation.Activations,
    ranks: Mapping[str, int],
    limits: tuple[float, float] | None,
) -> dict[str, Condensed]:
    tracker = saturation.start(outputs)
    for name, own in list(tracker.items()):
        of = None if is_linear(name) else limits
        tracker |= saturation.track({name: own}, outputs, pooling=watch.pooling, limits=of)
    return saturation.condensed(tracker, ranks)


@functools.partial(jax.jit, static_argnames="watch")
def _reports(watch: Watch, layer: Any) -> Any:
    """Of one layer [members, evaluations, ...]: layers of one width share the program."""

    def one(layer: Condensed) -> Report:
        return saturation.reported({"": layer}, delta=watch.delta, tau=watch.tau)[""]

    return jax.vmap(jax.vmap(one))(layer)
