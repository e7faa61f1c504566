"""What a weight is worth: scores of the prunable tensors, of which the smallest are removed first.

All functions are for one network and pure: map them over a population. Pruned weights score minus
infinity, below every kept one.
"""

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PyTree

from capacity.pruning.masks import Mask

Weights = Mapping[str, Array]
"""Tensors by name: all of a network's, or their gradients; those of the mask at least."""

Scores = dict[str, Array]
"""By the names of the mask, in the shapes of its tensors."""

Loss = Callable[[dict[str, Array]], Float[Array, ""]]
"""The loss of all of a network's tensors at some batch."""


def magnitude(params: Weights, mask: Mask) -> Scores:
    """|w|: the weights nearest to zero are removed first (Han et al., 2015)."""
    return scored({name: jnp.abs(params[name]) for name in mask}, mask)


def random_scores(key: Key[Array, ""], mask: Mask) -> Scores:
    """Uniform in [0, 1): any weights of a tensor are removed first, alike for all of its shape.

    A tensor's draw depends on its name, not on which others there are. Numbers of 23 bits: of a
    large tensor some are equal, and then the later one goes.
    """
    draws = {}
    for name, m in mask.items():
        own = jax.random.fold_in(key, zlib.crc32(name.encode()))
        draws[name] = jax.random.uniform(own, m.shape)
    return scored(draws, mask)


def gradient_weight(params: Weights, gradients: Weights, mask: Mask) -> Scores:
    """|g w|: removed first is what changes the loss least, in either direction.

    The first-order change of the loss when the weight becomes zero (Mozer & Smolensky, 1989; the
    "gradient magnitude" of Blalock et al., 2020, the "saliency" of jaxpruner).
    """
    return scored({name: jnp.abs(gradients[name] * params[name]) for name in mask}, mask)


def snip(loss: Loss, params: dict[str, Array], mask: Mask) -> Scores:
    """Connection sensitivity: |g w| over its sum over all kept weights, at a batch.

    Removed first is what the loss depends on least; meant for initial weights and a global count
    (Lee et al., 2019, arXiv:1810.02340).
    """
    scores = gradient_weight(params, jax.grad(loss)(params), mask)
    total = sum(jnp.sum(jnp.where(mask[name], scores[name], 0)) for name in mask)
    return {name: s / jnp.where(total > 0, total, 1) for name, s in scores.items()}


def grasp(loss: Loss, params: dict[str, Array], mask: Mask) -> Scores:
    """w (H g): to first order half of what |g|^2 loses when the weight is removed.

    Removed first is what lets the gradient flow more once it is gone. Wang et al. (2020),
    arXiv:2002.07376, write -w (H g) and remove its largest first, which is the same. H and g are
    those of the kept weights, at one batch; the paper divides logits by 200 beforehand, which is
    for `loss` to do.
    """

    def gradient(kernels: dict[str, Array]) -> dict[str, Array]:
        gradients = jax.grad(lambda k: loss({**params, **k}))(kernels)
        return {name: jnp.where(mask[name], g, 0) for name, g in gradients.items()}

    kernels = {name: params[name] for name in mask}
    flow = gradient(kernels)
    _, curved = jax.jvp(gradient, (kernels,), (flow,))
    return scored({name: kernels[name] * curved[name] for name in mask}, mask)


def moved(movement: Weights, params: Weights, gradients: Weights) -> Scores:
    """`movement`, by tensor and zero at first, after one more step: minus the sum of g w.

    Removed first are the weights that training drives towards zero, however large they are (Sanh
    et al., 2020, arXiv:2005.07683). `scored` makes the sum a score.
    """
    return {name: m - gradients[name] * params[name] for name, m in movement.items()}


def obd(params: Weights, curvature: Weights, mask: Mask) -> Scores:
    """h w^2 / 2: removed first is what adds least to the loss, to second order.

    Optimal brain damage (LeCun et al., 1990), the gradient being zero and the Hessian diagonal: h
    is that diagonal, or `fisher_diagonal` in its place (Theis et al., 2018, arXiv:1801.05787).
    """
    return scored({name: curvature[name] * params[name] ** 2 / 2 for name in mask}, mask)


def fisher_diagonal(
    example_loss: Callable[[dict[str, Array], Any], Float[Array, ""]],
    params: dict[str, Array],
    examples: PyTree,
    batch_size: int = 100,
) -> dict[str, Array]:
    """Mean square of the gradient of an example's loss, in the shapes of `params`.

    The diagonal of the Fisher information if labels are drawn from the network's own
    predictions, of the "empirical" one if they are those of the data.

    Args:
      example_loss: minus the log of the likelihood, in nats, of one example.
      examples: arrays of [n, ...], n > 0.
      batch_size: how many gradients are held at once.
    """

    def squares(batch: PyTree) -> dict[str, Array]:
        gradients = jax.vmap(jax.grad(example_loss), (None, 0))(params, batch)
        return jax.tree.map(lambda g: jnp.sum(g**2, axis=0), gradients)

    size = jax.tree.leaves(examples)[0].shape[0]
    batch_size = min(batch_size, size)
    whole = size - size % batch_size
    batches = jax.tree.map(lambda x: x[:whole].reshape(-1, batch_size, *x.shape[1:]), examples)
    rest = jax.tree.map(lambda x: x[whole:], examples)
    sums, _ = jax.lax.scan(
        lambda sums, batch: (jax.tree.map(jnp.add, sums, squares(batch)), None),
        squares(rest),  # zeros where nothing is left
        batches,
    )
    return jax.tree.map(lambda total: total / size, sums)


def scored(scores: Weights, mask: Mask) -> Scores:
    """`scores` with minus infinity where the mask has pruned."""
    return {name: jnp.where(m, scores[name], -jnp.inf) for name, m in mask.items()}
