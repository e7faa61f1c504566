"""Examples on the device, and what a network says of them."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from capacity.models import Model, Params

_LN2 = 0.6931471805599453
_DENSE_BATCH, _CONVOLUTION_BATCH = 500, 100
"""Examples that are evaluated at once: patches of more images outgrow the cache, and take twice as
long each."""


class Examples(NamedTuple):
    """A split on the device; networks see (inputs - offset) * scale."""

    inputs: Array  # [n, *input_shape], uint8 or float32
    labels: Int[Array, " n"]
    offset: Float[Array, "..."]
    scale: Float[Array, "..."]


class Quality(NamedTuple):
    """Mean -log2 p(label), in bits, and share of right answers over a split."""

    loss: Float[Array, ""]
    accuracy: Float[Array, ""]


def evaluate(
    model: Model,
    params: Params,
    split: Examples,
    known: Float[Array, "known classes"] | None = None,
) -> Quality:
    """Loss and accuracy of a network over a whole split, batch by batch.

    Args:
      known: logits of the first examples, where they have been computed already.
    """
    size, begin = split.labels.shape[0], 0 if known is None else known.shape[0]
    convolves = any(leaf.ndim == 4 for leaf in params.values())
    batches = -(-(size - begin) // (_CONVOLUTION_BATCH if convolves else _DENSE_BATCH))
    batch = -(-(size - begin) // max(batches, 1))

    def total(losses: Array, right: Array, real: Array) -> Quality:
        losses = jnp.where(real, losses, 0)
        return Quality(jnp.sum(losses), jnp.sum(right & real, dtype=jnp.float32))

    def add(i: Array, sums: Quality) -> Quality:
        position = begin + i * batch + jnp.arange(batch)
        index = jnp.minimum(position, size - 1)
        losses = example_losses(model, params, *pick(split, index))
        return jax.tree.map(jnp.add, sums, total(*losses, position < size))

    sums = Quality(jnp.zeros(()), jnp.zeros(()))
    if known is not None:
        sums = total(*_judged(known, split.labels[:begin]), jnp.ones(begin, bool))
    sums = jax.lax.fori_loop(0, batches, add, sums)
    return Quality(sums.loss / size / _LN2, sums.accuracy / size)


def pick(split: Examples, index: Int[Array, " batch"]) -> tuple[Array, Array]:
    """Inputs as networks see them, and labels, of the examples at `index`."""
    inputs = split.inputs[index].astype(jnp.float32)
    offset, scale = (jnp.broadcast_to(v, inputs.shape) for v in (split.offset, split.scale))
    return (inputs - offset) * scale, split.labels[index]


def example_losses(
    model: Model, params: Params, inputs: Array, labels: Array
) -> tuple[Array, Array]:
    """Loss in nats and whether the answer is right, per example."""
    return _judged(model.apply(params, inputs)[0], labels)


def _judged(logits: Array, labels: Array) -> tuple[Array, Array]:
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return loss, jnp.argmax(logits, axis=-1) == labels
