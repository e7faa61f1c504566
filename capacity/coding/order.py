"""The order of hidden units: free to choose, since any order computes the same function.

Units alike side by side predict one another, so a greedy tour from the busiest unit, each time to
the most similar one left, makes a file of the context codecs shorter; decoding needs nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from capacity.coding.quantise import Quantised

_LIMIT = 8192  # units of a layer whose similarities fit a memory


class Axis(NamedTuple):
    """The axis of a tensor that runs over units, once or, per unit, several times.

    Attributes:
      fastest: whether an axis longer than there are units has the units of each repeat side by
        side (images flattened as [height, width, channel]), or the repeats of each unit.
    """

    tensor: str
    axis: int
    fastest: bool = True


class Units(NamedTuple):
    """Interchangeable units.

    Attributes:
      outputs: where each is computed; the first tensor says how alike they are.
      inputs: where each is used.
    """

    outputs: tuple[Axis, ...]
    inputs: tuple[Axis, ...]


def reordered(
    tree: Mapping[str, Shaped[np.ndarray, "..."]], layers: Sequence[Units]
) -> dict[str, Shaped[np.ndarray, "..."]]:
    """The same network with the units of each layer in turn in the order of a tour."""
    result = dict(tree)
    for units in layers:
        first = units.outputs[0]
        table = np.moveaxis(result[first.tensor], first.axis, 0)
        order = tour(table.reshape(len(table), -1))
        for axis in (*units.outputs, *units.inputs):
            result[axis.tensor] = _taken(result[axis.tensor], axis, order)
    return result


def with_units_ordered(
    leaves: Mapping[str, Quantised], layers: Sequence[Units]
) -> dict[str, Quantised]:
    """The same of quantised tensors, each with its step or codebook."""
    symbols = reordered({name: leaf.symbols for name, leaf in leaves.items()}, layers)
    return {name: leaf._replace(symbols=symbols[name]) for name, leaf in leaves.items()}


def tour(table: Shaped[np.ndarray, "units weights"]) -> Int[np.ndarray, " units"]:
    """Units by similarity: from the one with most weights, on to the most correlated one left.

    As they are where there are more than 8192.
    """
    count = len(table)
    if count > _LIMIT:
        return np.arange(count)
    real = table.astype(np.float32)
    real /= np.linalg.norm(real, axis=1, keepdims=True) + 1e-9
    alike = real @ real.T
    unit = int(np.argmax(np.count_nonzero(table, axis=1)))
    order, left = [unit], np.ones(count, bool)
    left[unit] = False
    for _ in range(count - 1):
        unit = int(np.argmax(np.where(left, alike[unit], -np.inf)))
        left[unit] = False
        order.append(unit)
    return np.array(order)


def _taken(tensor: np.ndarray, axis: Axis, order: np.ndarray) -> np.ndarray:
    length, units = tensor.shape[axis.axis], len(order)
    repeats = np.arange(length // units)
    index = (
        repeats[:, None] * units + order
        if axis.fastest
        else order[:, None] * len(repeats) + repeats
    )
    return np.take(tensor, index.ravel(), axis.axis)
