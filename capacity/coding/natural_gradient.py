"""Natural-gradient steps for weights that are still free, with a layer's moments as the metric."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Shaped

from capacity.coding.calibration import Layer, Moments
from capacity.coding.obs import damped

Weights = Mapping[str, Shaped[np.ndarray, "..."]]
Slopes = tuple[float, Mapping[str, Float[np.ndarray, "..."]]]
"""A loss >= 0 and its gradient by the tensors of a network."""


def descended(
    weights: Weights,
    free: Sequence[str],
    layers: Sequence[Layer],
    metric: Mapping[str, Moments],
    slopes: Callable[[Weights], Slopes],
    rounds: int,
    damping: float,
    output_damping: float,
) -> dict[str, Shaped[np.ndarray, "..."]]:
    """The free tensors after natural-gradient steps, none of which makes the loss larger.

    The moments are the metric (Martens & Grosse, 2015). The first step is as long as would bring
    the loss to 0 along a line, half the way to the bottom of a parabola that touches 0; after a
    step, taken or not, the next goes to the bottom of the parabola through it, at most that far.
    """
    here = {name: weights[name] for name in free}
    loss, gradient = slopes(weights)
    length = 1.0
    for _ in range(rounds):
        change = _natural(gradient, free, layers, metric, damping, output_damping)
        slope = sum(float(np.sum(gradient[name] * change[name])) for name in free)
        # A loss of 0 has nothing to make up for, whatever rounding leaves of its gradient.
        if not (loss > 0 and np.isfinite(slope) and slope > 0 and length > 0):
            break
        length = min(length, loss / slope)
        there = {
            name: (tensor - length * change[name]).astype(tensor.dtype)
            for name, tensor in here.items()
        }
        reached, turned = slopes({**weights, **there})
        bend = (reached - loss) / length + slope  # of the parabola, times the length
        length = min(length * slope / (2 * bend), 1.0) if bend > 0 else 1.0
        if reached < loss:
            loss, gradient, here = reached, turned, there
    return here


def _natural(
    gradient: Mapping[str, Float[np.ndarray, "..."]],
    free: Sequence[str],
    layers: Sequence[Layer],
    metric: Mapping[str, Moments],
    damping: float,
    output_damping: float,
) -> dict[str, Float[np.ndarray, "..."]]:
    """The gradient by the free tensors divided by the curvature, as the moments have it."""
    change = {}
    for layer in layers:
        inputs, _, outputs, places = metric[layer.kernel]
        outer = None if outputs is None else damped(outputs, output_damping)
        if layer.kernel in free:
            table = np.asarray(gradient[layer.kernel], np.float64)
            flat = np.linalg.solve(damped(inputs, damping), table.reshape(-1, table.shape[-1]))
            change[layer.kernel] = _divided(flat, outer).reshape(table.shape)
        if layer.bias and layer.bias in free:
            # A bias moves all places of a convolution at once: as if their gradients were one, the
            # most that its curvature can be.
            table = np.asarray(gradient[layer.bias], np.float64)[None] / places
            change[layer.bias] = _divided(table, outer)[0]
    return change


def _divided(
    change: Float[np.ndarray, "in out"], outer: Float[np.ndarray, "out out"] | None
) -> Float[np.ndarray, "in out"]:
    return change if outer is None else np.linalg.solve(outer, change.T).T
