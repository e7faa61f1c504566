"""What calibration data do to a network's layers and to its predictions."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, Shaped

from capacity.coding.calibration import Moments
from capacity.models import Affine, Model, Params, affine_layers, tapped
from capacity.training import Examples
from capacity.training.examples import pick
from capacity.training.quantising import shifted

Arrays = Mapping[str, Shaped[Any, "..."]]
"""A network's tensors by name, on the host or on the device."""

_BATCH = 500


class Calibration(NamedTuple):
    """Inputs of a network in batches, and what the network that is to be kept says of them.

    Attributes:
      inputs: [batches, batch, *input_shape], scaled as the network sees them.
      wanted: [batches, batch, classes] log-probabilities, in nats.
    """

    inputs: Float[Array, "batches batch ..."]
    wanted: Float[Array, "batches batch classes"]

    @property
    def samples(self) -> int:
        return self.inputs.shape[0] * self.inputs.shape[1]


def calibration_inputs(
    examples: Examples, count: int, shift: int, key: Key[Array, ""]
) -> Float[Array, "samples ..."]:
    """At most `count` examples as a network sees them, drawn without repetition.

    Where `shift` > 0, every second one is moved by up to so many pixels either way: images that the
    network was not trained on, where its predictions must be kept too.
    """
    drawn, moved = jax.random.split(key)
    index = jax.random.permutation(drawn, examples.labels.shape[0])[:count]
    inputs, _ = pick(examples, index)
    return inputs.at[1::2].set(shifted(inputs[1::2], shift, moved))


def calibration(model: Model, params: Params, inputs: Float[Array, "samples ..."]) -> Calibration:
    """Of a network before it is quantised; samples that fill no batch are left out."""
    batch = min(len(inputs), _BATCH)
    batches = inputs[: len(inputs) // batch * batch].reshape(-1, batch, *inputs.shape[1:])
    return Calibration(batches, _predictions(model, params, batches))


def input_moments(model: Model, layer: Affine, params: Arrays, data: Calibration) -> Moments:
    """Of the inputs of one layer under the given weights."""
    inner, mean = _input_sums(model, layer, dict(params), data.inputs)
    places = int(np.prod(layer.outputs[:-1]))
    rows = data.samples * places
    return Moments(
        np.asarray(inner, np.float64) / rows, np.asarray(mean, np.float64) / rows, places=places
    )


def moments(
    model: Model, params: Arrays, data: Calibration, key: Key[Array, ""]
) -> dict[str, Moments]:
    """By kernel those of its layer's inputs and gradients; `key` is for `gradient_moments`."""
    gradients = gradient_moments(model, dict(params), data, key)
    return {
        layer.kernel: input_moments(model, layer, params, data)._replace(
            gradients=gradients[layer.kernel]
        )
        for layer in affine_layers(model)
    }


def gradient_moments(
    model: Model, params: Params, data: Calibration, key: Key[Array, ""]
) -> dict[str, Float[np.ndarray, "out out"]]:
    """By kernel the Fisher information of its layer's outputs, [out, out], in nats.

    The mean over samples of g g', summed over places, where g is the gradient of -ln p(label) by
    the outputs, for labels drawn from the network's own predictions.
    """
    sums = _gradient_sums(model, params, data.inputs, key)
    return {name: np.asarray(total, np.float64) / data.samples for name, total in sums.items()}


def divergence(model: Model, params: Arrays, data: Calibration) -> float:
    """Kullback-Leibler divergence of the predictions from the wanted ones, nats a sample."""
    return float(_divergence(model, dict(params), data))


def divergence_slopes(model: Model, params: Arrays, data: Calibration) -> tuple[float, Arrays]:
    """The divergence, and its gradient by every tensor."""
    total, slopes = _slopes(model, dict(params), data)
    return float(total), {name: np.asarray(slope, np.float64) for name, slope in slopes.items()}


@functools.partial(jax.jit, static_argnames="model")
def _predictions(model: Model, params: Params, batches: Array) -> Array:
    return jax.lax.map(lambda x: jax.nn.log_softmax(model.apply(params, x)[0]), batches)


@functools.partial(jax.jit, static_argnames=("model", "layer"))
def _input_sums(model: Model, layer: Affine, params: Params, batches: Array) -> tuple[Array, Array]:
    def rows(x: Array) -> Array:
        inputs = tapped(model, params, x).inputs[layer.kernel]
        return inputs.reshape(-1, inputs.shape[-1])

    def add(sums: tuple[Array, Array], x: Array) -> tuple[tuple[Array, Array], None]:
        flat = rows(x)
        return (sums[0] + flat.T @ flat, sums[1] + flat.sum(0)), None

    size = jax.eval_shape(rows, batches[0]).shape[-1]
    return jax.lax.scan(add, (jnp.zeros((size, size)), jnp.zeros(size)), batches)[0]


@functools.partial(jax.jit, static_argnames="model")
def _gradient_sums(
    model: Model, params: Params, batches: Array, key: Key[Array, ""]
) -> dict[str, Array]:
    def slopes(x: Array, key: Key[Array, ""]) -> dict[str, Array]:
        labels = jax.random.categorical(key, model.apply(params, x)[0])

        def loss(nudges: dict[str, Array]) -> Array:
            logits = tapped(model, params, x, nudges).logits
            return -jnp.sum(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1))

        shapes = {layer.kernel: layer.outputs for layer in affine_layers(model)}
        nothing = {name: jnp.zeros((len(x), *shape)) for name, shape in shapes.items()}
        return jax.grad(loss)(nothing)

    def add(sums: dict[str, Array], batch: tuple[Array, Array]) -> tuple[dict[str, Array], None]:
        flat = {n: g.reshape(-1, g.shape[-1]) for n, g in slopes(*batch).items()}
        return {name: sums[name] + g.T @ g for name, g in flat.items()}, None

    keys = jax.random.split(key, len(batches))
    sizes = {layer.kernel: layer.outputs[-1] for layer in affine_layers(model)}
    start = {name: jnp.zeros((size, size)) for name, size in sizes.items()}
    return jax.lax.scan(add, start, (batches, keys))[0]


@functools.partial(jax.jit, static_argnames="model")
def _divergence(model: Model, params: Params, data: Calibration) -> Array:
    total = jax.lax.map(lambda batch: _batch_divergence(params, model, batch), data)
    return jnp.sum(total) / data.samples


@functools.partial(jax.jit, static_argnames="model")
def _slopes(model: Model, params: Params, data: Calibration) -> tuple[Array, Params]:
    def add(sums: tuple[Array, Params], batch: Calibration) -> tuple[tuple[Array, Params], None]:
        found = jax.value_and_grad(_batch_divergence)(params, model, batch)
        return jax.tree.map(jnp.add, sums, found), None

    start = (jnp.zeros(()), jax.tree.map(jnp.zeros_like, params))
    total = jax.lax.scan(add, start, data)[0]
    return jax.tree.map(lambda value: value / data.samples, total)


def _batch_divergence(params: Params, model: Model, batch: Calibration) -> Array:
    said = jax.nn.log_softmax(model.apply(params, batch.inputs)[0])
    return jnp.sum(jnp.exp(batch.wanted) * (batch.wanted - said))
