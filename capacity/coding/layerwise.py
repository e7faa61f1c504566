"""A whole network by rate-constrained OBS, layer after layer, each making up for those before."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from capacity.coding.calibration import Moments
from capacity.coding.obs import damped, distortion, obs
from capacity.coding.quantise import Quantised, dequantised, uniform
from capacity.coding.rates import prices, two_sided_rates
from capacity.coding.steps import short_step

Weights = Mapping[str, Shaped[np.ndarray, "..."]]
Slopes = tuple[float, Mapping[str, Float[np.ndarray, "..."]]]
Gradients = Mapping[str, Float[np.ndarray, "out out"]]

BIAS_STEP = 1 / 32
_STEPS = 2.0 ** np.arange(-1, 2.75, 0.25)  # tried, in units of the root mean square weight


class Layer(NamedTuple):
    """An affine layer, and how it is to be quantised.

    Attributes:
      kernel: its tensor, [..., out]; all axes but the last are inputs.
      bias: its tensor, [out], or None.
      step: of the kernel; None for the one of smallest distortion + rate_weight * bits.
      stride: inputs per row of an image, for the prices of integers; 0 for none.
      rate_weight: in units of the network's.
    """

    kernel: str
    bias: str | None
    step: float | None = None
    stride: int = 0
    rate_weight: float = 1.0


def quantised_layers(
    weights: Weights,
    layers: Sequence[Layer],
    rate_weight: float,
    moments: Callable[[Weights, Layer], Moments],
    *,
    gradients: Gradients | None = None,
    slopes: Callable[[Weights], Slopes] | None = None,
    rounds: int = 3,
    damping: float = 0.1,
    output_damping: float = 1.0,
    bias_step: float = BIAS_STEP,
    passes: int = 2,
) -> dict[str, Quantised]:
    """Kernels and biases of `layers` as integers, from the network's input to its output.

    A layer's inputs are those that the layers quantised before it produce. Its bias then takes up
    the mean error of its outputs. With `slopes` the error goes further: `rounds` natural-gradient
    steps (with the moments as the metric) move the biases and kernels that are not quantised yet
    to where the network's loss is smaller, the way that OBS does within a layer. No step is kept
    that makes the loss larger.

    Args:
      weights: every tensor of the network by name; `layers` names those to quantise.
      layers: in the order of the computation.
      rate_weight: what a bit is worth in the unit of the distortion of `obs`; with `gradients` that
        is the loss's.
      moments: of a layer under given weights of the network, over calibration data.
      gradients: by kernel the mean over samples of g g', summed over places, where g are gradients
        of the loss by the layer's outputs before the non-linearity; the identity where none is
        given.
      slopes: a loss >= 0 over the same data, and its gradient by at least the tensors of `layers`;
        a good one is the divergence of the network's predictions from the unquantised one's.
      rounds: natural-gradient steps per layer.
      damping: as in `obs`.
      output_damping: as in `obs`.
      bias_step: step of the biases.
      passes: as in `obs`.
    """
    now = {name: np.asarray(tensor) for name, tensor in weights.items()}
    slope_moments = gradients or {}
    done: dict[str, Quantised] = {}

    def measured(layer: Layer) -> Moments:
        return moments(now, layer)._replace(gradients=slope_moments.get(layer.kernel))

    known = {layer.kernel: measured(layer) for layer in layers}

    def made_up(rest: Sequence[Layer]) -> None:
        if slopes is not None and rest:
            free = [name for layer in rest for name in layer[:2] if name and name not in done]
            metric = {layer.kernel: known[layer.kernel] for layer in rest}
            now.update(_descended(now, free, rest, metric, slopes, rounds, damping, output_damping))

    for place, layer in enumerate(layers):
        if place:
            made_up(layers[place:])
            known[layer.kernel] = measured(layer)
        inputs, mean, outputs, _ = known[layer.kernel]
        kernel = now[layer.kernel]
        table = kernel.reshape(-1, kernel.shape[-1])
        share = rate_weight * layer.rate_weight
        step = layer.step or best_step(
            table, inputs, outputs, share, damping, output_damping, layer.stride
        )
        coded = obs(
            table,
            inputs,
            step,
            share,
            output_moment=outputs,
            damping=damping,
            output_damping=output_damping,
            passes=passes,
            stride=layer.stride,
            name=layer.kernel,
        )
        error = dequantised(coded).astype(np.float64) - table
        done[layer.kernel] = coded._replace(symbols=coded.symbols.reshape(kernel.shape))
        now[layer.kernel] = dequantised(done[layer.kernel])
        if layer.bias:
            now[layer.bias] = (now[layer.bias] - mean @ error).astype(kernel.dtype)
            made_up(layers[place:])
            done[layer.bias] = uniform(now[layer.bias], bias_step, layer.bias)
            now[layer.bias] = dequantised(done[layer.bias])
    return done


def best_step(
    weights: Shaped[np.ndarray, "in out"],
    inputs: Float[np.ndarray, "in in"],
    gradients: Float[np.ndarray, "out out"] | None,
    rate_weight: float,
    damping: float = 0.1,
    output_damping: float = 1.0,
    stride: int = 0,
) -> float:
    """The step at which `obs` makes distortion + rate_weight * bits smallest.

    Of 15 steps a quarter of an octave apart, from half the root mean square of the weights on;
    coarser and coarser as long as that helps. The distortion is that without damping, which guards
    `obs` and is no loss; the bits are those that `two_sided_rates` estimates.
    """
    exact = weights.astype(np.float64)
    scale = float(np.sqrt(np.mean(exact[exact != 0] ** 2))) if exact.any() else 1.0
    best, chosen, misses = np.inf, scale, 0
    for step in scale * _STEPS:
        coded = obs(
            weights,
            inputs,
            short_step(step),
            rate_weight,
            output_moment=gradients,
            damping=damping,
            output_damping=output_damping,
            passes=1,
            stride=stride,
        )
        error = coded.symbols * coded.step - exact
        bits = float(prices(coded.symbols, two_sided_rates(coded.symbols, stride)).sum())
        cost = distortion(error, inputs, gradients) + rate_weight * bits
        if cost < best:
            best, chosen, misses = cost, coded.step, 0
        else:
            misses += 1
        if misses == 3:
            break
    return chosen


def _descended(
    weights: Weights,
    free: Sequence[str],
    layers: Sequence[Layer],
    metric: Mapping[str, Moments],
    slopes: Callable[[Weights], Slopes],
    rounds: int,
    damping: float,
    output_damping: float,
) -> dict[str, Shaped[np.ndarray, "..."]]:
    """The free tensors after natural-gradient steps.

    The first is as long as would bring the loss to 0 along a line, half the way to the bottom of
    a parabola that touches 0; after a step, taken or not, the next goes to the bottom of the
    parabola through it, at most that far.
    """
    here = {name: weights[name] for name in free}
    loss, gradient = slopes(weights)
    length = 1.0
    for _ in range(rounds):
        change = _natural(gradient, free, layers, metric, damping, output_damping)
        slope = sum(float(np.sum(gradient[name] * change[name])) for name in free)
        if not (np.isfinite(slope) and slope > 0):
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
            # A bias moves all places of a convolution at once.
            table = np.asarray(gradient[layer.bias], np.float64)[None] / places
            change[layer.bias] = _divided(table, outer)[0]
    return change


def _divided(
    change: Float[np.ndarray, "in out"], outer: Float[np.ndarray, "out out"] | None
) -> Float[np.ndarray, "in out"]:
    return change if outer is None else np.linalg.solve(outer, change.T).T
