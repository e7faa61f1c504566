"""The smaller dense network that computes what a pruned one does."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Shaped

from capacity.coding.order import Axis, Units
from capacity.pruning.structured import unit_index

Tensors = Mapping[str, Shaped[np.ndarray, "..."]]
Masks = Mapping[str, Bool[np.ndarray, "..."]]


class Compact(NamedTuple):
    """A network without its useless units.

    Attributes:
      params: all tensors, some of them smaller; what the mask prunes is zero.
      mask: of the smaller tensors.
      units: by layer, the units that are left.
    """

    params: dict[str, Shaped[np.ndarray, "..."]]
    mask: dict[str, Bool[np.ndarray, "..."]]
    units: list[Int[np.ndarray, " _"]]


def compacted(
    params: Tensors,
    mask: Masks,
    layers: Sequence[Units],
    activation: Callable[[Array], Array],
    *,
    padded: bool,
    widths: Sequence[int] | None = None,
) -> Compact:
    """The network without units (channels) whose inputs or outputs are all pruned.

    A unit without inputs puts out activation(bias) whatever comes in. That constant goes into the
    next biases, where there are some; not into those of a convolution that pads with zeros, whose
    border sees another constant: there the unit stays unless it puts out 0. Units of normalised
    layers stay too, as each changes what the others put out. The function is the same; training it
    further is not quite, as what was folded has no gradient.

    Args:
      mask: what is pruned, of every kernel at least; never inferred from values.
      layers: of the chain from input to output, where the units of each are computed and used, as
        `models.interchangeable` says; the first tensor of each is its kernel.
      activation: of all hidden layers.
      padded: whether convolutions pad.
      widths: units that each layer keeps at least, useless ones too, so that the members of a
        population fit each other; one otherwise.
    """
    tensors = {n: np.where(mask[n], p, 0) if n in mask else np.array(p) for n, p in params.items()}
    masks = {name: np.array(m) for name, m in mask.items()}
    for units in layers:
        if not _normalised(units):
            _fold(tensors, masks, units, activation, padded)
    used = useful_units(masks, layers)
    for units, useful, width in zip(layers, used, widths or [1] * len(layers), strict=True):
        masks[units.outputs[0].tensor][..., ~useful] = False
        spare = np.flatnonzero(~useful)[: max(0, width - int(useful.sum()))]
        useful[spare] = True
    for units, useful in zip(layers, used, strict=True):
        for axis in (*units.outputs, *units.inputs):
            index = unit_index(axis, tensors[axis.tensor].shape[axis.axis], useful.size)
            for tree in (tensors, masks):
                if axis.tensor in tree:
                    places = useful[index]
                    tree[axis.tensor] = np.compress(places, tree[axis.tensor], axis.axis)
    tensors |= {name: np.where(m, tensors[name], 0) for name, m in masks.items()}
    return Compact(tensors, masks, [np.flatnonzero(useful) for useful in used])


def useful_units(mask: Masks, layers: Sequence[Units]) -> list[Bool[np.ndarray, " units"]]:
    """By layer, the units whose outputs reach the network's; all of a normalised layer.

    Without the others the function is the same, and so is training, as they have no gradient.
    """
    masks = dict(mask)
    found = []
    for units in reversed(layers):
        kernel = units.outputs[0].tensor
        useful = _used(masks, units, masks[kernel].shape[-1])
        masks[kernel] = masks[kernel] & useful
        found.insert(0, useful)
    return found


def _fold(
    tensors: dict[str, np.ndarray],
    masks: dict[str, np.ndarray],
    units: Units,
    activation: Callable[[Array], Array],
    padded: bool,
) -> None:
    """What units without inputs put out goes into the next biases, and their outputs are pruned."""
    kernel, bias = units.outputs[0].tensor, _bias(units.outputs[0])
    dead = np.logical_not(masks[kernel].any(axis=tuple(range(masks[kernel].ndim - 1))))
    offsets = tensors.get(bias, np.zeros(dead.size, np.float32))
    constants = np.where(dead, np.asarray(activation(jnp.asarray(offsets))), 0)
    for axis in units.inputs:
        weights, target = tensors[axis.tensor], _bias(axis)
        index = unit_index(axis, weights.shape[axis.axis], dead.size)
        if target in tensors and not (padded and weights.ndim == 4):
            # Inputs are the last axis but one; a convolution adds up its places.
            rows = weights.reshape(-1, *weights.shape[-2:]).sum(axis=0, dtype=np.float64)
            added = constants[index] @ rows
            tensors[target] = (tensors[target] + added).astype(tensors[target].dtype)
            if target in masks:
                masks[target] |= added != 0
            folded = dead
        else:
            folded = np.logical_and(dead, constants == 0)
        masks[axis.tensor][..., folded[index], :] = False


def _used(masks: Masks, units: Units, width: int) -> Bool[np.ndarray, " units"]:
    """Units whose outputs are not all pruned; all of a normalised layer."""
    used = np.full(width, _normalised(units))
    for axis in units.inputs:
        m = masks[axis.tensor]
        index = unit_index(axis, m.shape[axis.axis], width)
        used[index[m.any(axis=(*range(m.ndim - 2), m.ndim - 1))]] = True
    return used


def _bias(axis: Axis) -> str:
    return axis.tensor.removesuffix("kernel") + "bias"


def _normalised(units: Units) -> bool:
    kernel = units.outputs[0]
    return bool({axis.tensor for axis in units.outputs} - {kernel.tensor, _bias(kernel)})
