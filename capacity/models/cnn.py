"""Convolutional networks without shortcuts: LeNet-5, Conv-2/4/6 and the VGG family."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from flax import nnx
from jaxtyping import Array

from capacity.models.convolution import convolve, max_pooled
from capacity.models.model import Activations, ModelError


class Plan(NamedTuple):
    """Channels of the convolutions, stage by stage, and units of the dense layers after them.

    Every stage ends in 2 x 2 max pooling.
    """

    stages: tuple[tuple[int, ...], ...]
    dense: tuple[int, ...]
    kernel: int = 3
    padding: str = "SAME"
    group_norm: bool = False


PLANS = {
    # LeCun et al. (1998) in the form that the pruning literature uses: 431,080 weights on MNIST.
    "lenet5": Plan(((20,), (50,)), (500,), kernel=5, padding="VALID"),
    # Frankle & Carbin (2019), figure 2.
    "conv2": Plan(((64, 64),), (256, 256)),
    "conv4": Plan(((64, 64), (128, 128)), (256, 256)),
    "conv6": Plan(((64, 64), (128, 128), (256, 256)), (256, 256)),
    # Simonyan & Zisserman (2015), table 1, with one dense layer as is usual on small images.
    "vgg11": Plan(((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2), (), group_norm=True),
    "vgg13": Plan(((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2), (), group_norm=True),
    "vgg16": Plan(((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3), (), group_norm=True),
    "vgg19": Plan(((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4), (), group_norm=True),
}


class Convolution(nnx.Conv):
    """A convolution, then GroupNorm if wanted, which needs no running state."""

    def __init__(
        self,
        inputs: int,
        channels: int,
        kernel: int,
        *,
        strides: int = 1,
        padding: str = "SAME",
        group_norm: bool = False,
        rngs: nnx.Rngs,
    ):
        size = (kernel, kernel)
        super().__init__(
            inputs,
            channels,
            size,
            strides,
            padding=padding,
            use_bias=not group_norm,
            conv_general_dilated=convolve,
            rngs=rngs,
        )
        groups = math.gcd(channels, 8)
        self.norm = nnx.GroupNorm(channels, groups, rngs=rngs) if group_norm else None

    def __call__(self, inputs: Array, out_sharding: Any = None) -> Array:
        x = super().__call__(inputs, out_sharding)
        return x if self.norm is None else self.norm(x)


class Cnn(nnx.Module):
    """Convolutions and pooling by `plan`, then dense layers."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        plan: Plan,
        width: float,
        class_count: int,
        activation: Callable[[Array], Array],
        *,
        rngs: nnx.Rngs,
    ):
        side, channels = feature_side(input_shape[:2], plan), input_shape[2]
        self.convolutions = nnx.List()
        for wanted in sum(plan.stages, ()):
            out = scaled(wanted, width)
            self.convolutions.append(
                Convolution(
                    channels,
                    out,
                    plan.kernel,
                    padding=plan.padding,
                    group_norm=plan.group_norm,
                    rngs=rngs,
                )
            )
            channels = out
        units = math.prod(side) * channels
        self.layers = nnx.List()
        for wanted in plan.dense:
            self.layers.append(nnx.Linear(units, scaled(wanted, width), rngs=rngs))
            units = scaled(wanted, width)
        self.output = nnx.Linear(units, class_count, rngs=rngs)
        self.activation = activation
        self.stage_ends = _ends(plan)

    def __call__(self, x: Array) -> tuple[Array, Activations]:
        activations = {}
        for i, layer in enumerate(self.convolutions):
            x = self.activation(layer(x))
            if i in self.stage_ends:
                x = max_pooled(x)
            activations[f"convolutions/{i}"] = x
        x = jax.lax.collapse(x, 1)
        for i, layer in enumerate(self.layers):
            x = activations[f"layers/{i}"] = self.activation(layer(x))
        activations["output"] = logits = self.output(x)
        return logits, activations


def feature_side(image: tuple[int, ...], plan: Plan) -> tuple[int, int]:
    """Height and width of the last feature map, at least 1 each."""
    shrink = plan.kernel - 1 if plan.padding == "VALID" else 0
    height, width = image[0], image[1]
    for stage in plan.stages:
        height = (height - shrink * len(stage)) // 2
        width = (width - shrink * len(stage)) // 2
        if min(height, width) < 1:
            raise ModelError(
                f"images of {image[0]} x {image[1]} are too small for {len(plan.stages)} poolings"
            )
    return height, width


def scaled(channels: int, width: float) -> int:
    """`channels` times the width multiplier, at least 1."""
    return max(1, round(channels * width))


def _ends(plan: Plan) -> tuple[int, ...]:
    lengths = [len(stage) for stage in plan.stages]
    return tuple(sum(lengths[: i + 1]) - 1 for i in range(len(lengths)))
