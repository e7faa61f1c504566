"""Every architecture that a configuration can name; a new family is one file and one line here."""

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from flax import nnx

from capacity.models.cnn import PLANS, Cnn, feature_side
from capacity.models.mlp import Mlp, tapered
from capacity.models.model import Model, ModelError, from_module
from capacity.models.resnet import ResNet

ACTIVATIONS = {
    "relu": nnx.relu,
    "tanh": nnx.tanh,
    "gelu": nnx.gelu,
    "silu": nnx.silu,
    "sigmoid": nnx.sigmoid,
}


class Architecture(NamedTuple):
    """What decides a network's shape and start: the settings of `model` and the data's shapes."""

    family: str
    width: float
    depth: int | None
    taper: float
    activation: str
    layer_norm: bool
    initialisation: str
    input_shape: tuple[int, ...]
    class_count: int
    widths: tuple[int, ...] | None = None


def pads(architecture: Architecture) -> bool:
    """Whether its convolutions see zeros around an image."""
    plan = PLANS.get(architecture.family)
    return plan is None or plan.padding == "SAME"


@cache
def build(architecture: Architecture) -> Model:
    """The network of `architecture`; equal architectures give one `Model`, hence one compilation.

    Raises:
      ModelError: a convolutional family on inputs that are no images, or images that are too small.
    """
    family = FAMILIES[architecture.family]
    if family is not _mlp and len(architecture.input_shape) != 3:
        raise ModelError(
            f"{architecture.family} needs images, these inputs are {architecture.input_shape}"
        )
    return from_module(family(architecture), architecture.input_shape, architecture.initialisation)


def _mlp(a: Architecture) -> Callable[[nnx.Rngs], Mlp]:
    widths = a.widths or tapered(int(a.width), a.depth or 2, a.taper)
    inputs = math.prod(a.input_shape)
    activation = ACTIVATIONS[a.activation]
    return lambda rngs: Mlp(
        inputs, widths, a.class_count, activation, layer_norm=a.layer_norm, rngs=rngs
    )


def _cnn(a: Architecture, name: str | None = None) -> Callable[[nnx.Rngs], Cnn]:
    plan = PLANS[name or a.family]
    feature_side(a.input_shape[:2], plan)
    return lambda rngs: Cnn(
        a.input_shape, plan, a.width, a.class_count, ACTIVATIONS[a.activation], rngs=rngs
    )


def _vgg(a: Architecture) -> Callable[[nnx.Rngs], Cnn]:
    return _cnn(a, f"vgg{a.depth or 11}")


def _resnet(a: Architecture) -> Callable[[nnx.Rngs], ResNet]:
    activation = ACTIVATIONS[a.activation]
    return lambda rngs: ResNet(
        a.input_shape, a.depth or 20, a.width, a.class_count, activation, rngs=rngs
    )


FAMILIES: dict[str, Callable[[Architecture], Callable[[nnx.Rngs], nnx.Module]]] = {
    "mlp": _mlp,
    "lenet5": _cnn,
    "conv2": _cnn,
    "conv4": _cnn,
    "conv6": _cnn,
    "vgg": _vgg,
    "resnet": _resnet,
}
