"""Residual networks for small images (He et al., 2016, section 4.2), with GroupNorm."""

from collections.abc import Callable

from flax import nnx
from jaxtyping import Array

from capacity.models.cnn import Convolution, scaled
from capacity.models.model import Activations


class Block(nnx.Module):
    """Two 3 x 3 convolutions beside an identity, or beside a projection where the shape changes."""

    def __init__(self, inputs: int, channels: int, strides: int, *, rngs: nnx.Rngs):
        self.first = Convolution(inputs, channels, 3, strides=strides, group_norm=True, rngs=rngs)
        self.second = Convolution(channels, channels, 3, group_norm=True, rngs=rngs)
        changes = strides > 1 or inputs != channels
        self.shortcut = (
            Convolution(inputs, channels, 1, strides=strides, group_norm=True, rngs=rngs)
            if changes
            else None
        )


class ResNet(nnx.Module):
    """ResNet-n with n = 6 k + 2: a convolution, three stages of k blocks, a mean, a dense layer."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        depth: int,
        width: float,
        class_count: int,
        activation: Callable[[Array], Array],
        *,
        rngs: nnx.Rngs,
    ):
        channels = scaled(16, width)
        self.convolutions = nnx.List(
            [Convolution(input_shape[2], channels, 3, group_norm=True, rngs=rngs)]
        )
        self.layers = nnx.List()
        for stage in range(3):
            for block in range((depth - 2) // 6):
                out = scaled(16 * 2**stage, width)
                self.layers.append(
                    Block(channels, out, 2 if stage > 0 and block == 0 else 1, rngs=rngs)
                )
                channels = out
        self.output = nnx.Linear(channels, class_count, rngs=rngs)
        self.activation = activation

    def __call__(self, x: Array) -> tuple[Array, Activations]:
        activations = {}
        name = "convolutions/0"
        x = activations[name] = self.activation(self.convolutions[0](x))
        for i, block in enumerate(self.layers):
            y = activations[f"layers/{i}/first"] = self.activation(block.first(x))
            if block.shortcut is not None:
                x = activations[f"layers/{i}/shortcut"] = block.shortcut(x)
            name = f"layers/{i}/second"
            x = activations[name] = self.activation(block.second(y) + x)
        x = activations[name] = x.mean(axis=(1, 2))
        activations["output"] = logits = self.output(x)
        return logits, activations
