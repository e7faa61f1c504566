"""What an adaptive coder charges for integer weights, with a gradient to train against."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

# Weight of the tensor's share against a row's or a column's own count: the one observation that an
# adaptive binary coder starts from.
_PRIOR = 1.0


class Prices(NamedTuple):
    """Bits that one more level away from zero costs, the statistics of all others being known.

    `first` is from 0 to 1 or -1, sign included, and at least 0; `further` is from k to k + 1.
    """

    first: Float[Array, "rows columns"]
    further: Float[Array, ""]


@jax.custom_vjp
def rate(latent: Float[Array, "rows columns"]) -> Float[Array, ""]:
    """Bits of the integers nearest to `latent`, coded by counts of their row, column and tensor.

    The probability that a weight is not zero has the log odds row + column - tensor, each of them
    the share of the *other* weights that are not zero: what a coder that learns its counts on the
    way pays on average, with no table sent. A sign costs one bit and magnitudes are geometric.
    Nothing is fitted by gradient, so the rate follows the weights as the coder will.

    The gradient is that of the expected length if `latent` were rounded up or down at random
    without bias, at the prices of the moment: linear between two integers, so that a weight below
    1/2 is still drawn to zero by the bits that a non-zero would cost at its place.

    Args:
      latent: weights in units of their step; a vector is a matrix of one row. Rows and columns may
        change places.
    """
    return _length(jnp.round(latent))


def prices(symbols: Float[Array, "rows columns"]) -> Prices:
    """What the next level of every weight costs, by the model of `rate`."""
    further = _geometric(symbols)
    first = 1 + further.stop - _log_odds(symbols)
    return Prices(jnp.maximum(first, 0), further.go)


class _Geometric(NamedTuple):
    """Bits of "one level more" and of "no more", at every level from 1 up."""

    go: Float[Array, ""]
    stop: Float[Array, ""]


def _geometric(symbols: Array) -> _Geometric:
    count = jnp.sum(symbols != 0, dtype=jnp.float32)
    total = jnp.sum(jnp.abs(symbols))
    share = (total - count + 0.5) / (total + 1)
    return _Geometric(-jnp.log2(share), -jnp.log2(1 - share))


def _log_odds(symbols: Array) -> Float[Array, "rows columns"]:
    """log2 of the odds that a weight is not zero, by the others of its row and column.

    Never below 1 in twice the tensor's size, or above the reverse: what the first of a kind costs
    an adaptive coder (Krichevsky & Trofimov, 1981).
    """
    present = symbols != 0
    share = (jnp.sum(present, dtype=jnp.float32) + 0.5) / (symbols.size + 1)

    def odds(axis: int) -> Array:
        count = jnp.sum(present, axis, keepdims=True, dtype=jnp.float32)
        others = symbols.shape[axis] - 1

        def without(one: float) -> Array:
            ones = jnp.maximum(count - one, 0)
            zeros = jnp.maximum(others - ones, 0)
            return jnp.log2(ones + _PRIOR * share) - jnp.log2(zeros + _PRIOR * (1 - share))

        # Two vectors and a choice, as a logarithm for every weight would cost more than training.
        return jnp.where(present, without(1.0), without(0.0))

    bound = jnp.log2(jnp.float32(2 * symbols.size))
    overall = jnp.log2(share) - jnp.log2(1 - share)
    return jnp.clip(odds(1) + odds(0) - overall, -bound, bound)


def _length(symbols: Array) -> Float[Array, ""]:
    present = symbols != 0
    odds, magnitude = _log_odds(symbols), _geometric(symbols)
    # log2(1 + 2^x), the bits of the less likely side; nats only inside.
    flag = jnp.logaddexp(0.0, jnp.where(present, -odds, odds) * jnp.log(2.0)) / jnp.log(2.0)
    levels = 1 + magnitude.stop + (jnp.abs(symbols) - 1) * magnitude.go
    return jnp.sum(flag + jnp.where(present, levels, 0))


def _forward(latent: Array) -> tuple[Array, Array]:
    return rate(latent), latent


def _backward(latent: Array, cotangent: Array) -> tuple[Array]:
    price = prices(jnp.round(latent))
    slope = jnp.where(jnp.abs(latent) < 1, price.first, price.further)
    return (cotangent * jnp.sign(latent) * slope,)


rate.defvjp(_forward, _backward)
