"""Training without the units that a mask leaves useless: the same network by smaller products.

But for rounding; and NaN of a member that diverges does not reach what is left out.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from capacity.models import Model, affine_layers, interchangeable, parameter_shapes
from capacity.pruning import Mask, useful_units

Trained = tuple[Int[Array, "..."], ...]
"""By hidden layer whose units are interchangeable, those that are trained, in ascending order."""

SHARE = 0.8
"""Of the multiply-adds of all units, what is left at most."""
STEPS = 3
"""That each evaluation saves at least: taking units out and putting them back takes 1.5."""
PARTS = 16
"""Of a layer, as many widths: not every trial or round is then a program of its own."""
WORTH = 1e12
"""Operations saved, at least: ten seconds of a core, where another program compiles in five."""
WORTH_ELSEWHERE = 1e15
"""The same of a device where small products take about as long as large ones."""


def trained_units(model: Model, mask: Mask) -> Trained | None:
    """The units that reach the output by the masks [members, ...]; None where all do.

    As many of each member: where it has fewer than others, some of its useless ones fill up.
    """
    layers, host = interchangeable(model), {name: np.asarray(m) for name, m in mask.items()}
    members = range(len(next(iter(host.values()))))
    useful = [useful_units({n: m[i] for n, m in host.items()}, layers) for i in members]
    if all(own.all() for each in useful for own in each):
        return None
    found = []
    for each in zip(*useful, strict=True):
        most, part = max(int(own.sum()) for own in each), max(1, each[0].size // PARTS)
        width = min(max(1, math.ceil(most / part) * part), each[0].size)
        # A stable order has the useful ones first.
        chosen = [np.sort(np.argsort(~own, kind="stable")[:width]) for own in each]
        found.append(jnp.asarray(np.stack(chosen), jnp.int32))
    return tuple(found)


def pays(model: Model, units: Trained, examples: int, every: int) -> bool:
    """Whether training those units alone saves more than another program takes to compile.

    Args:
      examples: that all members are trained on, each as often as a step sees it.
      every: steps from one evaluation to the next.
    """
    whole: dict[str, Any] = parameter_shapes(model)
    one = jax.tree.map(lambda own: jax.ShapeDtypeStruct(own.shape[1:], own.dtype), units)
    left = jax.eval_shape(lambda tree, one: taken(model, tree, one), whole, one)
    before, after = products(model, whole), products(model, left)
    # Two operations each, in three products of every kernel a step.
    saved = 6 * examples * (before - after)
    worth = WORTH if jax.default_backend() == "cpu" else WORTH_ELSEWHERE
    often_enough = (1 - after / before) * every >= STEPS
    return after <= SHARE * before and saved >= worth and often_enough


def products(model: Model, shapes: Mapping[str, Any] | None = None) -> int:
    """Multiply-adds of one example; with kernels of other `shapes`, of those."""
    own = parameter_shapes(model) if shapes is None else shapes
    layers = affine_layers(model)
    return sum(own[layer.kernel].size * math.prod(layer.outputs[:-1]) for layer in layers)


def taken(model: Model, tree: Any, units: Trained) -> Any:
    """One network's `units` alone, of every dict in `tree` that has tensors by name."""

    def small(node: Any) -> Any:
        if not _named(node):
            return node
        return {name: _taken(leaf, list(places(name))) for name, leaf in node.items()}

    places = _Places(model, units)
    return jax.tree.map(small, tree, is_leaf=_named)


def put(model: Model, tree: Any, small: Any, units: Trained) -> Any:
    """`tree` with what `taken` took of it, and what became of that, where it was."""

    def whole(node: Any, own: Any) -> Any:
        if not _named(node):
            return own
        return {name: _put(leaf, own[name], list(places(name))) for name, leaf in node.items()}

    places = _Places(model, units)
    return jax.tree.map(whole, tree, small, is_leaf=_named)


def _named(node: Any) -> bool:
    return isinstance(node, Mapping)


class _Places:
    """Where a layer's units are on the axes of the tensors that compute and use them."""

    def __init__(self, model: Model, units: Trained):
        self._shapes = parameter_shapes(model)
        self._layers = list(zip(interchangeable(model), units, strict=True))

    def __call__(self, name: str) -> Iterator[tuple[int, Array]]:
        """The axes of a tensor that run over units, and which of its places are wanted."""
        for layer, own in self._layers:
            kernel = layer.outputs[0].tensor
            count = self._shapes[kernel].shape[-1]
            for axis in (*layer.outputs, *layer.inputs):
                if axis.tensor != name:
                    continue
                repeats = self._shapes[name].shape[axis.axis] // count
                if axis.fastest:
                    grid = jnp.add.outer(count * jnp.arange(repeats), own)
                else:
                    grid = jnp.add.outer(repeats * own, jnp.arange(repeats))
                yield axis.axis, grid.ravel()


def _taken(leaf: Array, along: list[tuple[int, Array]]) -> Array:
    for axis, places in along:
        leaf = jnp.take(leaf, places, axis)
    return leaf


def _put(leaf: Array, small: Array, along: list[tuple[int, Array]]) -> Array:
    if not along:
        return small
    (axis, places), *rest = along
    at = (slice(None),) * axis + (places,)
    return leaf.at[at].set(_put(leaf[at], small, rest))
