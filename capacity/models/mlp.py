"""Multilayer perceptrons."""

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx
from jaxtyping import Array

from capacity.models.model import Activations


class Dense(nnx.Linear):
    """An affine map, LayerNorm if wanted, then the non-linearity."""

    def __init__(self, inputs: int, units: int, *, layer_norm: bool, rngs: nnx.Rngs):
        super().__init__(inputs, units, rngs=rngs)
        self.norm = nnx.LayerNorm(units, rngs=rngs) if layer_norm else None

    def __call__(self, inputs: Array, out_sharding: Any = None) -> Array:
        x = super().__call__(inputs, out_sharding)
        return x if self.norm is None else self.norm(x)


class Mlp(nnx.Module):
    """Hidden layers of `widths` units on flattened inputs; LeNet-300-100 has widths (300, 100)."""

    def __init__(
        self,
        inputs: int,
        widths: tuple[int, ...],
        class_count: int,
        activation: Callable[[Array], Array],
        *,
        layer_norm: bool,
        rngs: nnx.Rngs,
    ):
        sizes = zip((inputs, *widths[:-1]), widths, strict=True)
        self.layers = nnx.List([Dense(i, o, layer_norm=layer_norm, rngs=rngs) for i, o in sizes])
        self.output = nnx.Linear(widths[-1], class_count, rngs=rngs)
        self.activation = activation

    def __call__(self, x: Array) -> tuple[Array, Activations]:
        activations = {}
        x = jax.lax.collapse(x, 1) if x.ndim > 2 else x
        for i, layer in enumerate(self.layers):
            x = activations[f"layers/{i}"] = self.activation(layer(x))
        activations["output"] = logits = self.output(x)
        return logits, activations


def tapered(width: int, depth: int, taper: float) -> tuple[int, ...]:
    """Widths of `depth` hidden layers, each `taper` times the one before: (300, 100) for 1/3."""
    return tuple(max(1, round(width * taper**i)) for i in range(depth))
