"""Convolutions and pooling that are quick on the device at hand."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def convolve(
    images: Float[Array, "batch height width in"],
    kernel: Float[Array, "rows columns in out"],
    strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    **others: Any,
) -> Float[Array, "batch down across out"]:
    """`jax.lax.conv_general_dilated` of NHWC images and an HWIO kernel, as `nnx.Conv` calls it.

    On a CPU a product of patches with the kernel: inside a loop XLA's own gradients of a
    convolution take 4 (one channel) to 40 times (64 channels) as long, though its values take a
    third to three quarters; measured by benchmarks/convolution.py.
    """
    plain = {1, *others.get("lhs_dilation", ()), *others.get("rhs_dilation", ())} == {1}
    if jax.default_backend() != "cpu" or not plain or kernel.shape[2] != images.shape[3]:
        return jax.lax.conv_general_dilated(images, kernel, strides, padding, **others)
    size = kernel.shape[0], kernel.shape[1]
    if isinstance(padding, str):
        padding = jax.lax.padtype_to_pads(images.shape[1:3], size, strides, padding)
    rows = patches(images, size, strides, padding)
    return rows @ kernel.reshape(-1, kernel.shape[-1])


def max_pooled(
    images: Float[Array, "batch height width channels"],
) -> Float[Array, "batch down across channels"]:
    """The largest of every 2 x 2; a last odd row or column is left out.

    As maxima of slices: XLA's gradient of a window's maximum (select-and-scatter) takes tens of
    times as long on a CPU. Where two are equal, the earlier one gets the gradient, as there.
    """
    height, width = (size // 2 * 2 for size in images.shape[1:3])
    across = _larger(images[:, :, 0:width:2], images[:, :, 1:width:2])
    return _larger(across[:, 0:height:2], across[:, 1:height:2])


def _larger(first: Array, second: Array) -> Array:
    return jnp.where(first >= second, first, second)


def patches(
    images: Float[Array, "batch height width in"],
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
) -> Float[Array, "batch down across patch"]:
    """What a convolution reads at each place, in the order of an HWIO kernel as [-1, out].

    Args:
      images: [batch, height, width, in].
      kernel: its height and width.
      strides: along height and width.
      padding: zeros before and after, along height and width.
    """
    table = jnp.pad(images, ((0, 0), *padding, (0, 0)))
    # First along the width, then along the height, so that whole rows of patches are copied.
    for axis in (2, 1):
        size, stride = kernel[axis - 1], strides[axis - 1]
        end = table.shape[axis] - size + 1
        shifted = [
            jax.lax.slice_in_dim(table, start, start + end, stride, axis) for start in range(size)
        ]
        table = jnp.concatenate(shifted, axis=-1)
    return table
