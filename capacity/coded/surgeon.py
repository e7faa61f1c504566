"""A network's integers by rate-constrained OBS over calibration data."""

from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from capacity.coded import calibrating
from capacity.coded.calibrating import Arrays
from capacity.coding import Quantised, uniform
from capacity.coding.calibration import Layer, Moments
from capacity.coding.layerwise import BIAS_STEP, ObsPlan, quantised_layers
from capacity.coding.natural_gradient import Slopes
from capacity.models import Model, ModelError, affine_layers, is_kernel

_CHECKED = 5  # one in so many calibration inputs chooses the steps, the others the integers

DEFAULT = ObsPlan()


class Surgery(Protocol):
    """A network's integers from a rate weight and, where wanted, another plan."""

    def __call__(self, rate_weight: float, plan: ObsPlan = DEFAULT) -> dict[str, Quantised]: ...


def surgeon(
    model: Model,
    params: Arrays,
    inputs: Float[Array, "samples ..."],
    key: Key[Array, ""],
) -> Surgery:
    """A function from what a bit is worth, in nats per sample, to the network's integers.

    The loss that is kept small is the divergence of the predictions from those of `params`: its
    curvature is the Fisher information of `capacity.coded.calibrating`, and needs no labels. What
    does not depend on the rate weight is measured once. Tensors of no affine layer (scales and
    shifts of normalisation) are rounded to the steps of biases.

    Args:
      inputs: calibration data, scaled as the network sees them; none of the test split.
      key: for the labels drawn from the predictions.
    """
    whole = {name: jnp.asarray(tensor) for name, tensor in params.items()}
    apart = len(inputs) - len(inputs) // _CHECKED
    data, check = (
        calibrating.calibration(model, whole, part) for part in (inputs[:apart], inputs[apart:])
    )
    known = calibrating.moments(model, whole, data, key)
    affine = {layer.kernel: layer for layer in affine_layers(model)}
    layers = [
        Layer(name, layer.bias, stride=_stride(model, whole[name].shape))
        for name, layer in affine.items()
    ]
    rest = set(params) - {name for layer in layers for name in layer[:2]}
    if unseen := sorted(filter(is_kernel, rest)):
        raise ModelError(f"{unseen[0]}: multiplies its inputs in a way that taps do not see")

    def moments(now: Arrays, layer: Layer) -> Moments:
        return calibrating.input_moments(model, affine[layer.kernel], now, data)

    def slopes(now: Arrays) -> Slopes:
        return calibrating.divergence_slopes(model, now, data)

    def quantised(rate_weight: float, plan: ObsPlan = DEFAULT) -> dict[str, Quantised]:
        done = {name: uniform(params[name], BIAS_STEP, name) for name in rest}
        found = quantised_layers(
            params,
            layers,
            rate_weight,
            known,
            moments,
            loss=lambda now: calibrating.divergence(model, now, check),
            slopes=slopes,
            plan=plan,
        )
        return {name: (done | found)[name] for name in params}

    return quantised


def _stride(model: Model, shape: tuple[int, ...]) -> int:
    """Inputs from one place of an image to the next below it, or beside it in a convolution."""
    if len(shape) == 4:
        return shape[2]
    image = model.input_shape
    return image[1] * image[2] if len(image) == 3 and shape[0] == np.prod(image) else 0
