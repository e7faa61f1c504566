"""How many directions a layer's outputs use, by the eigenvalues of their covariance.

All functions take a spectrum [..., width] of eigenvalues >= 0 in descending order. A layer whose
outputs never change has no direction: each is 0 there.
"""

from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Rule = Literal["published", "delve"]


def intrinsic_dimension(
    spectrum: Float[Array, "*layers width"], delta: float = 0.99, rule: Rule = "published"
) -> Int[Array, "*layers"]:
    """The smallest number of eigendirections that explain the share `delta` of the variance.

    Richter et al. (2020), arXiv:2006.08679. At most as many as there were samples less one: with
    fewer than twice as many samples as units it tells more of the samples than of the layer.

    Args:
      delta: in (0, 1].
      rule: `delve` counts what stays below the share, without the direction that reaches it, as
        version 0.1.50 of that tool does: one fewer.
    """
    if not 0 < delta <= 1:
        raise ValueError(f"delta = {delta}: a share of the variance is above 0 and at most 1")
    explained = jnp.cumsum(spectrum, axis=-1)
    # The last sum, and not another one of the same numbers, so that it is reached for delta = 1.
    below = jnp.sum(explained < delta * explained[..., -1:], axis=-1)
    if rule == "delve":
        return below
    return below + (explained[..., -1] > 0).astype(below.dtype)


def layer_saturation(
    spectrum: Float[Array, "*layers width"], delta: float = 0.99, rule: Rule = "published"
) -> Float[Array, "*layers"]:
    """The intrinsic dimension over the width, 0 to 1: Shenk et al. (2019), arXiv:1907.08589."""
    return intrinsic_dimension(spectrum, delta, rule).astype(jnp.float32) / spectrum.shape[-1]


def effective_rank(spectrum: Float[Array, "*layers width"]) -> Float[Array, "*layers"]:
    """exp of the entropy of the normalised singular values of the centred outputs, 1 to width.

    Roy & Vetterli (2007). The singular values are the roots of the eigenvalues; of these
    themselves some report the same, which is another number.
    """
    values = jnp.sqrt(spectrum)
    total = jnp.sum(values, axis=-1, keepdims=True)
    shares = values / jnp.where(total > 0, total, 1)
    entropy = -jnp.sum(shares * jnp.log(jnp.where(shares > 0, shares, 1)), axis=-1)
    return jnp.where(total[..., 0] > 0, jnp.exp(entropy), 0)


def stable_rank(spectrum: Float[Array, "*layers width"]) -> Float[Array, "*layers"]:
    """Total variance over the largest eigenvalue, 1 to width: Rudelson & Vershynin (2007)."""
    largest = spectrum[..., 0]
    return jnp.sum(spectrum, axis=-1) / jnp.where(largest > 0, largest, 1)


def participation_ratio(spectrum: Float[Array, "*layers width"]) -> Float[Array, "*layers"]:
    """Squared sum over sum of squares, 1 to width."""
    # In units of the largest, whose square may be beyond float32.
    largest = spectrum[..., :1]
    scaled = spectrum / jnp.where(largest > 0, largest, 1)
    squares = jnp.sum(scaled**2, axis=-1)
    return jnp.sum(scaled, axis=-1) ** 2 / jnp.where(squares > 0, squares, 1)
