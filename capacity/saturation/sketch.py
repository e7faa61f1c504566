"""The leading eigenvalues of a wide layer's covariance, without the covariance.

One random matrix of `rank` columns is kept multiplied by the covariance: width x rank numbers for
each layer and n x width x rank products for each batch, where the covariance takes width^2 of both
(Tropp, Yurtsever, Udell & Cevher, 2017, arXiv:1706.05736).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


class Sketch(NamedTuple):
    """Of all samples seen so far.

    Attributes:
      test: [width, rank] the random matrix, with orthonormal columns.
      samples: how many.
      mean: [width].
      image: [width, rank] the scatter times `test`.
      total: the trace of the scatter: exact, not sketched.
    """

    test: Float[Array, "width rank"]
    samples: Float[Array, ""]
    mean: Float[Array, " width"]
    image: Float[Array, "width rank"]
    total: Float[Array, ""]


class Leading(NamedTuple):
    """What a sketch says of a spectrum.

    Attributes:
      values: [rank] in descending order, none above the covariance's own eigenvalue of its place.
      rest: variance that they leave unexplained, which is all that they can be wrong by, summed. In
        the mean over the random matrix it is at most (1 + k / (rank - k - 1)) times the variance
        beyond the first k eigendirections, for every k < rank - 1.
    """

    values: Float[Array, " rank"]
    rest: Float[Array, ""]


def no_sketch(width: int, rank: int, key: Key[Array, ""]) -> Sketch:
    """Of no samples; `rank` <= width."""
    test = jnp.linalg.qr(jax.random.normal(key, (width, rank)))[0]
    zero = jnp.zeros(())
    return Sketch(test, zero, jnp.zeros(width), jnp.zeros((width, rank)), zero)


def sketched(sketch: Sketch, samples: Float[Array, "n width"]) -> Sketch:
    """With one more batch."""
    added = jnp.float32(samples.shape[0])
    mean = jnp.mean(samples, axis=0, keepdims=True)
    centred, shift = samples - mean, mean[0] - sketch.mean
    count = sketch.samples + added
    share = added / count
    between = sketch.samples * share
    image = centred.T @ (centred @ sketch.test) + between * jnp.outer(shift, shift @ sketch.test)
    return Sketch(
        sketch.test,
        count,
        sketch.mean + share * shift,
        sketch.image + image,
        sketch.total + jnp.sum(centred**2) + between * jnp.sum(shift**2),
    )


def leading(sketch: Sketch) -> Leading:
    """The eigenvalues of the Nystrom approximation, which is nowhere above the covariance.

    So the number of them that explain a share of the (exact) variance is an upper bound on that of
    the covariance, and there is none where all together explain less.
    """
    image, total = (x / jnp.maximum(sketch.samples, 1) for x in (sketch.image, sketch.total))
    # Stabilised as in Tropp et al.: a multiple of the identity is added and then taken off again.
    size = jnp.sqrt(jnp.sum(image**2))
    shift = jnp.finfo(jnp.float32).eps * jnp.maximum(size, jnp.finfo(jnp.float32).tiny)
    image = image + shift * sketch.test
    inner = sketch.test.T @ image
    root = jnp.linalg.cholesky((inner + inner.T) / 2)
    half = jax.scipy.linalg.solve_triangular(root, image.T, lower=True)
    values = jnp.maximum(jnp.linalg.svd(half, compute_uv=False) ** 2 - shift, 0)
    values = jnp.where(jnp.isfinite(values), values, 0)
    return Leading(values, jnp.maximum(total - jnp.sum(values), 0))
