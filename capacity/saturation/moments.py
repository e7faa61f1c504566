"""Mean and covariance of a layer's outputs, batch by batch, in float32."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.saturation.eigenproblem import eigenvalues, tridiagonal


class Moments(NamedTuple):
    """Of all samples seen so far.

    Attributes:
      samples: how many; a float, so that an average over devices or a decay may be taken.
      mean: [width].
      scatter: [width, width] sum of (x - mean)(x - mean)'.
    """

    samples: Float[Array, ""]
    mean: Float[Array, " width"]
    scatter: Float[Array, "width width"]


def no_moments(width: int) -> Moments:
    """Of no samples."""
    return Moments(jnp.zeros(()), jnp.zeros(width), jnp.zeros((width, width)))


def batch_moments(samples: Float[Array, "n width"]) -> Moments:
    """Of one batch of at least one sample, by two passes."""
    count = jnp.float32(samples.shape[0])
    mean = jnp.mean(samples, axis=0, keepdims=True)
    centred = samples - mean
    return Moments(count, mean[0], centred.T @ centred)


def merged(a: Moments, b: Moments) -> Moments:
    """Of both sets of samples together (Chan, Golub & LeVeque, 1979).

    Nothing large is subtracted from anything large, so that float32 does where means are many
    deviations away from 0.
    """
    count = a.samples + b.samples
    share = b.samples / jnp.maximum(count, 1)
    shift = b.mean - a.mean
    between = a.samples * share * jnp.outer(shift, shift)
    return Moments(count, a.mean + share * shift, a.scatter + b.scatter + between)


def covariance(moments: Moments) -> Float[Array, "width width"]:
    """The population covariance: the scatter over the count, 0 of no samples."""
    return moments.scatter / jnp.maximum(moments.samples, 1)


def spectrum(moments: Moments) -> Float[Array, " width"]:
    """Eigenvalues of the covariance, the largest first; rounding errors below 0 are 0."""
    return eigenvalues(tridiagonal(covariance(moments)))
