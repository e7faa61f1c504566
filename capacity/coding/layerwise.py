"""A whole network by rate-constrained OBS, layer after layer, each making up for those before."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from capacity.coding.calibration import Layer, Moments
from capacity.coding.natural_gradient import Slopes, Weights, descended
from capacity.coding.obs import distortion, obs
from capacity.coding.quantise import Quantised, dequantised, uniform
from capacity.coding.rates import prices, two_sided_rates
from capacity.coding.steps import short_step

BIAS_STEP = 1 / 32
_STEPS = 2.0 ** np.arange(-1, 3.25, 0.25)  # tried, in units of the root mean square weight
_PATIENCE = 3  # steps in a row that do not help


class ObsPlan(NamedTuple):
    """How far each part of the method goes.

    Attributes:
      rounds: natural-gradient steps after each layer; 0 for OBS within layers alone.
      caution: share of the rate weight inside `obs`. A loss rises faster than the parabola at the
        trained weights says, and most where weights are put to zero, which `obs` would do more of
        than pays. Coarser steps with cheaper bits make shorter files of LeNet-5; of perceptrons
        shares from 1/8 to 1 do about as well.
      passes: as in `obs`.
      damping: as in `obs`.
      output_damping: as in `obs`.
      bias_step: step of the biases.
    """

    rounds: int = 2
    caution: float = 1 / 8
    passes: int = 2
    damping: float = 0.1
    output_damping: float = 1.0
    bias_step: float = BIAS_STEP


def quantised_layers(
    weights: Weights,
    layers: Sequence[Layer],
    rate_weight: float,
    known: Mapping[str, Moments],
    moments: Callable[[Weights, Layer], Moments],
    *,
    loss: Callable[[Weights], float] | None = None,
    slopes: Callable[[Weights], Slopes] | None = None,
    plan: ObsPlan | None = None,
) -> dict[str, Quantised]:
    """Kernels and biases of `layers` as integers, from the network's input to its output.

    A layer's inputs are those that the layers quantised before it produce. Its bias then takes up
    the mean error of its outputs. With `slopes` the error goes further: natural-gradient steps move
    the biases and kernels that are not quantised yet to where the network's loss is smaller, the
    way that OBS does within a layer.

    Args:
      weights: every tensor of the network by name; `layers` names those to quantise.
      layers: in the order of the computation.
      rate_weight: loss that a bit is worth.
      known: by kernel the moments under `weights`; their gradients are kept throughout.
      moments: of a layer under other weights of the network, over the same calibration data.
      loss: of a network, for the choice of steps, on other data than the rest: on the same data
        OBS looks better than it is. The distortion of `obs` where None.
      slopes: a loss >= 0 and its gradient by at least the tensors of `layers`; a good one is the
        divergence of the network's predictions from the unquantised one's.
      plan: the defaults of `ObsPlan` where None.
    """
    plan = plan or ObsPlan()
    now = {name: np.asarray(tensor) for name, tensor in weights.items()}
    known = dict(known)
    done: dict[str, Quantised] = {}
    for place, layer in enumerate(layers):
        if place:
            gradients = known[layer.kernel].gradients
            known[layer.kernel] = moments(now, layer)._replace(gradients=gradients)
        cut = _Cut(layer, now, known[layer.kernel], rate_weight, plan)
        cost = functools.partial(cut.cost, loss)
        step = layer.step or best_step(now[layer.kernel], cut.coded, cost)
        found = cut.coded(step, plan.passes)
        done[layer.kernel] = found
        now = dict(cut.taken(found))
        if slopes is not None:
            rest = layers[place:]
            free = [name for each in rest for name in each[:2] if name and name not in done]
            metric = {each.kernel: known[each.kernel] for each in rest}
            dampings = plan.damping, plan.output_damping
            now |= descended(now, free, rest, metric, slopes, plan.rounds, *dampings)
        if layer.bias:
            done[layer.bias] = uniform(now[layer.bias], plan.bias_step, layer.bias)
            now[layer.bias] = dequantised(done[layer.bias])
    return done


class _Cut(NamedTuple):
    """One layer about to be quantised, in the network as it is now."""

    layer: Layer
    now: Weights
    moments: Moments
    rate_weight: float
    plan: ObsPlan

    @property
    def table(self) -> Shaped[np.ndarray, "in out"]:
        kernel = self.now[self.layer.kernel]
        return kernel.reshape(-1, kernel.shape[-1])

    def coded(self, step: float, passes: int = 1) -> Quantised:
        """The layer's integers, in its shape."""
        found = obs(
            self.table,
            self.moments.inputs,
            step,
            self.plan.caution * self.rate_weight,
            output_moment=self.moments.gradients,
            damping=self.plan.damping,
            output_damping=self.plan.output_damping,
            passes=passes,
            stride=self.layer.stride,
            name=self.layer.kernel,
        )
        return found._replace(symbols=found.symbols.reshape(self.now[self.layer.kernel].shape))

    def taken(self, found: Quantised) -> Weights:
        """The network with these integers for weights, and the bias that makes up for them."""
        after = {**self.now, self.layer.kernel: dequantised(found)}
        if self.layer.bias:
            bias = self.now[self.layer.bias]
            after[self.layer.bias] = (bias - self.moments.mean @ self._error(found)).astype(
                bias.dtype
            )
        return after

    def cost(self, loss: Callable[[Weights], float] | None, found: Quantised) -> float:
        """Loss + rate weight x bits, as `two_sided_rates` estimates them."""
        symbols = found.symbols.reshape(self.table.shape)
        bits = float(prices(symbols, two_sided_rates(symbols, self.layer.stride)).sum())
        lost = (
            loss(self.taken(found))
            if loss is not None
            else distortion(self._error(found), self.moments.inputs, self.moments.gradients)
        )
        return lost + self.rate_weight * bits

    def _error(self, found: Quantised) -> Float[np.ndarray, "in out"]:
        return dequantised(found).reshape(self.table.shape).astype(np.float64) - self.table


def best_step(
    weights: Shaped[np.ndarray, "..."],
    coded: Callable[[float], Quantised],
    cost: Callable[[Quantised], float],
) -> float:
    """The step whose integers cost least.

    Of steps a quarter of an octave apart, from half the root mean square of the weights that are
    not 0 to eight times that; coarser and coarser as long as it helps.
    """
    exact = weights[weights != 0].astype(np.float64)
    scale = float(np.sqrt(np.mean(exact**2))) if exact.size else 1.0
    best, chosen, misses = np.inf, scale, 0
    for step in scale * _STEPS:
        found = coded(short_step(step))
        paid = cost(found)
        misses = 0 if paid < best else misses + 1
        if paid < best:
            best, chosen = paid, found.step
        if misses == _PATIENCE:
            break
    return chosen
