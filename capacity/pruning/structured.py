"""Masks with a structure: n of every m inputs, whole units (dense) or channels (convolutions)."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from capacity.coding.order import Axis, Units
from capacity.pruning.errors import PruningError
from capacity.pruning.masks import Mask, keep_largest


def n_of_m(scores: Mapping[str, Array], mask: Mask, n: int, m: int) -> Mask:
    """The `n` largest scores of every `m` inputs in a row, for each output (2:4 and the like).

    Inputs are the last axis but one, [in, out] or HWIO. Removed first is the smallest of a group,
    of equals the last; groups with fewer than n in `mask` keep those (Zhou et al., 2021,
    arXiv:2102.04010).

    Raises:
      PruningError: n is not from 1 to m, or m does not divide the inputs of a tensor.
    """
    if not 1 <= n <= m:
        raise PruningError(f"{n}:{m} sparsity: must keep from 1 to {m} of every {m}")
    for name, own in mask.items():
        if own.shape[-2] % m:
            raise PruningError(
                f"{name} of shape {own.shape}: its {own.shape[-2]} inputs cannot be grouped by {m}"
            )

    def grouped(tensor: Array) -> Array:
        inputs_last = jnp.moveaxis(tensor, -2, -1)
        return inputs_last.reshape(-1, m)

    def pruned(scores: Array, own: Array) -> Array:
        kept = jax.vmap(keep_largest, (0, 0, None))(grouped(scores), grouped(own), jnp.int32(n))
        turned = jnp.moveaxis(own, -2, -1).shape
        return jnp.moveaxis(kept.reshape(turned), -1, -2)

    return {name: pruned(scores[name], own) for name, own in mask.items()}


def unit_norms(kernel: Float[Array, "*inputs units"], order: int = 1) -> Float[Array, " units"]:
    """Norm of the weights into each unit: the smallest go first.

    Order 1 is that of Li et al. (2017), arXiv:1608.08710, for the channels of a convolution.
    """
    return jnp.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), ord=order, axis=0)


def unit_activity(outputs: Float[Array, "*samples units"]) -> Float[Array, " units"]:
    """Mean absolute output of each unit: the idlest go first."""
    return jnp.mean(jnp.abs(outputs), axis=tuple(range(outputs.ndim - 1)))


def unit_firing(outputs: Float[Array, "*samples units"]) -> Float[Array, " units"]:
    """Share of outputs that are not 0: those silent most often go first.

    One minus the average percentage of zeros of Hu et al. (2016), arXiv:1607.03250.
    """
    return jnp.mean(outputs != 0, axis=tuple(range(outputs.ndim - 1)), dtype=jnp.float32)


def unit_freedom(
    outputs: Float[Array, "*samples units"], limits: tuple[float, float], margin: float = 0.01
) -> Float[Array, " units"]:
    """One minus the share of outputs at an end of their range: the most saturated go first.

    Args:
      limits: ends of the range of the non-linearity, (-1, 1) for tanh.
      margin: share of the range at either end that counts as an end.
    """
    low, high = limits
    edge = margin * (high - low)
    free = (outputs >= low + edge) & (outputs <= high - edge)
    return jnp.mean(free, axis=tuple(range(outputs.ndim - 1)), dtype=jnp.float32)


def unit_mask(
    kept: Sequence[Bool[Array, " _"]],
    layers: Sequence[Units],
    shapes: Mapping[str, Sequence[int]],
) -> Mask:
    """Whole units kept or pruned, as a mask of the tensors that they touch.

    A pruned unit loses the weights into it, its bias and normalisation, and the weights out of it;
    a tensor between two layers loses both. Combine it with other masks by `&`.

    Args:
      kept: by layer; `keep_largest` and `prune` make it of scores per unit.
      layers: where the units of each are computed and used, as `models.interchangeable` says.
      shapes: of those tensors.
    """
    mask = {}
    for units, own in zip(layers, kept, strict=True):
        for axis in (*units.outputs, *units.inputs):
            shape = tuple(shapes[axis.tensor])
            before = mask.get(axis.tensor, jnp.ones(shape, bool))
            along = own[unit_index(axis, shape[axis.axis], own.shape[0])]
            broadcast = [1] * len(shape)
            broadcast[axis.axis] = -1
            mask[axis.tensor] = before & jnp.broadcast_to(along.reshape(broadcast), shape)
    return mask


def unit_index(axis: Axis, length: int, units: int) -> Int[np.ndarray, " length"]:
    """Of each place along `axis`, `length` long, the unit that it belongs to."""
    places = np.arange(length)
    return places % units if axis.fastest else places // (length // units)
