"""Linear mode connectivity: what lies on the straight line between two networks."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Params = dict[str, Array]


class Line(NamedTuple):
    """Losses along a line.

    Attributes:
      alphas: 0 at the first network, 1 at the second; both ends are among them.
      losses: at each.
      barrier: the largest loss minus the mean of both ends, >= 0.
    """

    alphas: Float[Array, " points"]
    losses: Float[Array, " points"]
    barrier: Float[Array, ""]


def interpolated(first: Params, second: Params, alpha: Float[Array, ""]) -> Params:
    """(1 - alpha) first + alpha second; the ends are those networks to the bit.

    Networks of one mask stay within it.
    """
    return jax.tree.map(lambda a, b: (1 - alpha) * a + alpha * b, first, second)


def barrier(losses: Float[Array, "points ..."]) -> Float[Array, "..."]:
    """The largest loss along a line, over the first axis, minus the mean of both ends; >= 0."""
    return jnp.max(losses, axis=0) - (losses[0] + losses[-1]) / 2


def line(
    loss: Callable[[Params], Float[Array, ""]],
    first: Params,
    second: Params,
    alphas: Float[Array, " points"],
) -> Line:
    """Losses along the line between two networks, and the error barrier.

    Frankle et al. (2020), arXiv:1912.05671, take the test error at 30 even points, call the barrier
    between two children of one network that differ in their data order its instability, and count
    less than 2 points as stable. Others subtract the line between the ends in place of their mean.

    Args:
      loss: of all of a network's tensors: error (1 - accuracy) or loss, over fixed data.
      alphas: points between 0 and 1; the ends are added, all are evaluated side by side.
    """
    points = jnp.concatenate([jnp.zeros(1), alphas, jnp.ones(1)])
    losses = jax.vmap(lambda alpha: loss(interpolated(first, second, alpha)))(points)
    return Line(points, losses, barrier(losses))
