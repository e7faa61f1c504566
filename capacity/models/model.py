"""What a network is here: two pure functions over a flat dict of named arrays."""

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Key

from capacity.names import natural

Params = dict[str, Array]
"""Weights by slash name, as `layers/0/kernel`; dense kernels are [in, out], convolutions HWIO."""

Activations = dict[str, Array]
"""What every layer, by its name (`layers/0`), hands to the next: after its non-linearity and the
pooling behind it; [batch, ...]."""

OUTPUT = "output"
VARIANCE = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
    "pytorch": lambda fan_in, fan_out: 1 / (3 * fan_in),  # of its layers, drawn uniformly there
}


class ModelError(ValueError):
    """An architecture that does not fit its inputs, in one sentence."""


class Model(NamedTuple):
    """A network: initial weights from a key, logits and activations from weights and inputs.

    `apply(params, x)` takes x of [batch, *input_shape] and returns logits [batch, classes] and the
    activations of every layer; nothing is stochastic and nothing is stored.
    """

    init: Callable[[Key[Array, ""]], Params]
    apply: Callable[[Params, Float[Array, "batch ..."]], tuple[Array, Activations]]
    input_shape: tuple[int, ...]


class Network(Protocol):
    """A flax module whose call returns logits and activations."""

    def __call__(self, x: Array) -> tuple[Array, Activations]: ...


def from_module(
    module: Callable[[nnx.Rngs], Network], input_shape: tuple[int, ...], initialisation: str
) -> Model:
    """The `Model` of the flax module that `module(rngs)` constructs.

    Kernels start Gaussian with the variance of `initialisation` (Glorot & Bengio, 2010; He et al.,
    2015; LeCun et al., 1998), biases 0, normalisation scales 1. All kernels come from one draw, as
    a draw per tensor costs seconds of compilation.
    """
    graph, state = nnx.split(nnx.eval_shape(lambda: module(nnx.Rngs(0))))
    variables = {_name(path): (path, variable) for path, variable in nnx.to_flat_state(state)}
    shapes = {name: variable.shape for name, (_, variable) in variables.items()}
    kernels = {name: math.prod(shape) for name, shape in shapes.items() if is_kernel(name)}

    def init(key: Key[Array, ""]) -> Params:
        draws = jax.random.normal(key, (sum(kernels.values()),))
        params, start = {}, 0
        for name, shape in shapes.items():
            if name in kernels:
                size = kernels[name]
                deviation = math.sqrt(VARIANCE[initialisation](*_fans(shape)))
                params[name] = draws[start : start + size].reshape(shape) * deviation
                start += size
            else:
                params[name] = jnp.full(shape, name.endswith("scale"), jnp.float32)
        return params

    def apply(params: Params, x: Array) -> tuple[Array, Activations]:
        leaves = [(path, variable.replace(params[n])) for n, (path, variable) in variables.items()]
        network: Any = nnx.merge(graph, nnx.from_flat_state(leaves))
        return network(x)

    return Model(init, apply, input_shape)


def is_kernel(name: str) -> bool:
    """Whether the tensor multiplies inputs (and may be pruned), by its name."""
    return name.endswith("kernel")


def is_linear(layer: str) -> bool:
    """Whether a layer has no non-linearity behind it: the output, and shortcuts of a ResNet."""
    return layer.rpartition("/")[2] in (OUTPUT, "shortcut")


def is_output(name: str) -> bool:
    """Whether the tensor belongs to the last layer, by its name."""
    return name.startswith(f"{OUTPUT}/")


def layer_parameters(model: Model, kept: Mapping[str, int] | None = None) -> dict[str, int]:
    """Weights of every layer, biases and normalisation included, from input to output.

    Of a tensor in `kept`, as many as it says.
    """
    params, activations = parameter_shapes(model), _activations(model)
    counts = dict.fromkeys(_in_order(params, activations), 0)
    held = {name: leaf.size for name, leaf in params.items()} | dict(kept or {})
    for name, count in held.items():
        counts[_owner(name, activations)] += count
    return counts


def layer_outputs(model: Model) -> dict[str, int]:
    """Number of values that every layer hands on for one example, from input to output.

    A shortcut counts as a layer of its own, after the convolutions that it bridges.
    """
    params, activations = parameter_shapes(model), _activations(model)
    return {layer: activations[layer].size for layer in _in_order(params, activations)}


def parameter_shapes(model: Model) -> dict[str, jax.ShapeDtypeStruct]:
    """Shape and type of every tensor by name, as `jax.eval_shape` has them, traced once a model."""
    return dict(_parameters(model))


@functools.cache
def _parameters(model: Model) -> dict[str, Any]:
    # A key without a value: whoever asks for shapes takes no device.
    return jax.eval_shape(model.init, jax.eval_shape(jax.random.key, 0))


@functools.cache
def _activations(model: Model) -> dict[str, Any]:
    x = jax.ShapeDtypeStruct((1, *model.input_shape), jnp.float32)
    return jax.eval_shape(model.apply, parameter_shapes(model), x)[1]


def _in_order(params: Iterable[str], activations: Iterable[str]) -> list[str]:
    names = sorted(params, key=lambda name: (name.startswith(OUTPUT), natural(name)))
    return list(dict.fromkeys(_owner(name, activations) for name in names))


def _owner(name: str, activations: Iterable[str]) -> str:
    return max((layer for layer in activations if name.startswith(f"{layer}/")), key=len)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def _name(path: tuple) -> str:
    return "/".join(str(part) for part in path)
