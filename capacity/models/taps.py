"""What flows into and out of a network's affine layers, read off its own computation."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Literal, jaxpr_as_fun
from jaxtyping import Array, Float

from capacity.models.convolution import patches
from capacity.models.model import (
    Activations,
    Model,
    ModelError,
    Params,
    is_kernel,
    parameter_shapes,
)

Nudges = Mapping[str, Float[Array, "batch ..."]]
"""By kernel what is added to the outputs [batch, *outputs] of its layer, before its bias."""


class Affine(NamedTuple):
    """A product with a kernel, as the network computes it.

    Attributes:
      kernel: its name; [in, out] or HWIO.
      bias: the name of the bias that is added, or None.
      outputs: shape for one example, [out] or [height, width, out].
    """

    kernel: str
    bias: str | None
    outputs: tuple[int, ...]


class Taps(NamedTuple):
    """What was read while a network computed.

    Attributes:
      logits: [batch, classes].
      activations: by layer what it hands on, as the network returns them.
      inputs: by kernel what its layer multiplies by it: [batch, in] of a dense layer and [batch,
        height, width, in] of a convolution: its patches, in the order of the kernel as [-1, out].
      outputs: by kernel the product, [batch, *outputs], before bias, normalisation, non-linearity.
    """

    logits: Float[Array, "batch classes"]
    activations: Activations
    inputs: dict[str, Array]
    outputs: dict[str, Array]


def affine_layers(model: Model) -> list[Affine]:
    """The affine layers of a network in the order in which it computes them."""
    params = parameter_shapes(model)
    x = jax.ShapeDtypeStruct((1, *model.input_shape), jnp.float32)
    jaxpr, kernels, _ = _traced(model, params, x)
    found = []
    for equation in jaxpr.jaxpr.eqns:
        if kernel := _kernel(equation, kernels):
            bias = kernel.removesuffix("kernel") + "bias"
            outputs = equation.outvars[0].aval.shape[1:]
            found.append(Affine(kernel, bias if bias in params else None, outputs))
    return found


def tapped(
    model: Model, params: Params, x: Float[Array, "batch ..."], nudges: Nudges | None = None
) -> Taps:
    """What flows into and out of every affine layer; compiled, only what is used is computed.

    The derivative by a nudge of zeros is that by the layer's outputs, example by example.
    """
    jaxpr, kernels, tree = _traced(model, params, x)
    values: dict[Any, Any] = dict(zip(jaxpr.jaxpr.constvars, jaxpr.consts, strict=True))
    values |= zip(jaxpr.jaxpr.invars, jax.tree.leaves((params, x)), strict=True)
    inputs, outputs = {}, {}
    for equation in jaxpr.jaxpr.eqns:
        # Primitives are bound another way in every release of JAX: it evaluates them itself.
        operands = list(dict.fromkeys(v for v in equation.invars if not isinstance(v, Literal)))
        alone = jaxpr.jaxpr.replace(
            constvars=[], invars=operands, outvars=equation.outvars, eqns=[equation]
        )
        results = jaxpr_as_fun(ClosedJaxpr(alone, []))(*(values[v] for v in operands))
        if kernel := _kernel(equation, kernels):
            inputs[kernel] = _rows(equation, values[equation.invars[0]])
            if nudges and kernel in nudges:
                results = [results[0] + nudges[kernel]]
            outputs[kernel] = results[0]
        values |= zip(equation.outvars, results, strict=True)
    leaves = [v.val if isinstance(v, Literal) else values[v] for v in jaxpr.jaxpr.outvars]
    logits, activations = jax.tree.unflatten(tree, leaves)
    return Taps(logits, activations, inputs, outputs)


def _traced(model: Model, params: Any, x: Any) -> tuple[Any, dict[Any, str], Any]:
    """The network as a list of equations, which of their variables are kernels, what it returns."""
    jaxpr, returned = jax.make_jaxpr(model.apply, return_shape=True)(params, x)
    # The leaves of a dict come in the order of its sorted keys.
    names = zip(jaxpr.jaxpr.invars, sorted(params), strict=False)
    kernels = {variable: name for variable, name in names if is_kernel(name)}
    for equation in jaxpr.jaxpr.eqns:
        if equation.primitive.name == "reshape" and equation.invars[0] in kernels:
            kernels[equation.outvars[0]] = kernels[equation.invars[0]]
    return jaxpr, kernels, jax.tree.structure(returned)


def _kernel(equation: Any, kernels: dict[Any, str]) -> str | None:
    """The kernel that an equation multiplies by."""
    if equation.primitive.name not in ("dot_general", "conv_general_dilated"):
        return None
    weights = equation.invars[1]
    return None if isinstance(weights, Literal) else kernels.get(weights)


def _rows(equation: Any, operand: Array) -> Array:
    if equation.primitive.name == "dot_general":
        return operand
    kernel, settings = equation.invars[1].aval.shape, equation.params
    if {*settings["lhs_dilation"], *settings["rhs_dilation"], settings["feature_group_count"]} != {
        1
    }:
        raise ModelError("a convolution with dilation or groups: its patches are not known")
    return patches(operand, kernel[:2], settings["window_strides"], settings["padding"])
