"""Networks trained as parts of a wider one, so that those of unlike widths share its program.

A unit that is added has neither inputs nor outputs: its weights are zero and masked, it has no
gradient, and the network computes and learns what it does by itself, but for rounding.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from capacity.models import Model, interchangeable, parameter_shapes
from capacity.training.narrow import Trained, put, taken


class Padding(NamedTuple):
    """A wider network, and how many of its units a narrower one has.

    Attributes:
      model: the wider one.
      units: by hidden layer, the first so many are the narrower one's.
    """

    model: Model
    units: tuple[int, ...]


def padding(model: Model, wide: Model) -> Padding | None:
    """How `model` is a part of `wide`; None where it is none.

    Normalised units are tied: what is added would change their mean.
    """
    if any("/norm/" in name for name in parameter_shapes(model)):
        return None
    units, room = _widths(model), _widths(wide)
    if len(units) != len(room) or any(a > b for a, b in zip(units, room, strict=True)):
        return None
    found = Padding(wide, units)
    part = jax.eval_shape(lambda tree: taken(wide, tree, _first(found)), parameter_shapes(wide))
    return found if part == parameter_shapes(model) else None


@functools.partial(jax.jit, static_argnames="to")
def padded(to: Padding, tree: Any) -> Any:
    """Tensors [members, ...] by name in the places that they have in the wider network."""
    shapes = parameter_shapes(to.model)

    def one(tree: Any) -> Any:
        room = {n: jnp.zeros(shapes[n].shape, leaf.dtype) for n, leaf in tree.items()}
        return put(to.model, room, tree, _first(to))

    return jax.vmap(one)(tree)


@functools.partial(jax.jit, static_argnames="to")
def unpadded(to: Padding, tree: Any) -> Any:
    """The narrower networks [members, ...] of every dict in `tree` that has tensors by name."""
    return jax.vmap(lambda own: taken(to.model, own, _first(to)))(tree)


def _widths(model: Model) -> tuple[int, ...]:
    shapes = parameter_shapes(model)
    return tuple(shapes[layer.outputs[0].tensor].shape[-1] for layer in interchangeable(model))


def _first(to: Padding) -> Trained:
    return tuple(jnp.arange(count) for count in to.units)
