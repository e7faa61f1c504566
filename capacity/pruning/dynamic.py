"""Dynamic sparse training: masks that move while a network trains, at exact counts per layer.

Both methods drop the smallest weights and grow as many others, which start at zero; a weight that
is dropped and grown at once stays as it is. All functions are for one network and can be traced.
"""

import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from capacity.pruning.errors import PruningError
from capacity.pruning.masks import Mask, keep_largest
from capacity.pruning.scores import Weights

T = TypeVar("T")


def rigl(
    params: Weights, gradients: Weights, mask: Mask, fraction: Float[Array, ""]
) -> tuple[dict[str, Array], Mask]:
    """Weights and mask after an update of RigL (Evci et al., 2020, arXiv:1911.11134).

    Dropped first is the smallest |w| of each tensor, grown first the largest |gradient|.

    Args:
      params: all tensors; pruned weights are zero, and are so in what is returned.
      gradients: by every weight, pruned ones too: not masked.
      fraction: of each tensor's kept weights, rounded down, that are dropped.
    """
    growth = {name: jnp.abs(gradients[name]) for name in mask}
    return exchanged(params, growth, mask, fraction)


def sparse_evolution(
    key: Key[Array, ""], params: Weights, mask: Mask, fraction: Float[Array, ""]
) -> tuple[dict[str, Array], Mask]:
    """Weights and mask after an update of SET (Mocanu et al., 2018, arXiv:1707.04780).

    Dropped first is the smallest |w| of each tensor (theirs are the smallest positive and the
    largest negative ones); what grows is drawn, of the weights that are not kept. The rest is as
    for `rigl`.
    """
    growth = {
        name: jax.random.uniform(jax.random.fold_in(key, zlib.crc32(name.encode())), m.shape)
        for name, m in mask.items()
    }
    return exchanged(params, growth, mask, fraction)


def exchanged(
    params: Weights, growth: Weights, mask: Mask, fraction: Float[Array, ""]
) -> tuple[dict[str, Array], Mask]:
    """Weights and mask with the smallest |w| of each tensor dropped, the largest `growth` grown."""
    moved, after = dict(params), {}
    for name, m in mask.items():
        active = jnp.sum(m)
        drops = dropped_count(active, fraction)
        survives = keep_largest(jnp.abs(params[name]).ravel(), m.ravel(), active - drops)
        grown = keep_largest(growth[name].ravel(), ~survives, drops)
        after[name] = (survives | grown).reshape(m.shape)
        moved[name] = jnp.where(after[name] & m, params[name], 0)
    return moved, after


def dropped_count(active: Int[Array, ""], fraction: Float[Array, ""]) -> Int[Array, ""]:
    """floor(fraction active), within what there is."""
    count = jnp.floor(fraction * active.astype(jnp.float32)).astype(jnp.int32)
    return jnp.clip(count, 0, active)


def drop_fraction(
    step: Int[Array, ""], end: Int[Array, ""] | int, initial: float = 0.3
) -> Float[Array, ""]:
    """initial / 2 (1 + cos(pi step / end)), as RigL decays it; 0 from step `end` on."""
    if not 0 <= initial <= 1:
        raise PruningError(f"drop fraction {initial}: must be from 0 to 1")
    progress = jnp.clip(step.astype(jnp.float32) / jnp.asarray(end, jnp.float32), 0, 1)
    return initial / 2 * (1 + jnp.cos(jnp.pi * progress))


def forgotten(moments: T, before: Mask, after: Mask) -> T:
    """An optimizer's state with zeros for weights that were dropped or are new.

    Else momentum would move the dropped ones away from zero and push the new ones.

    Args:
      moments: any tree; its dicts that have all tensors of the masks are taken for moments.
    """

    def is_moment(node: Any) -> bool:
        return isinstance(node, Mapping) and before.keys() <= node.keys()

    def silenced(node: Any) -> Any:
        if not is_moment(node):
            return node
        return {
            name: jnp.where(before[name] & after[name], leaf, 0) if name in before else leaf
            for name, leaf in node.items()
        }

    return jax.tree.map(silenced, moments, is_leaf=is_moment)
