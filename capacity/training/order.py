"""The order of the examples: a shuffled pass per epoch, computed where it is needed.

A permutation by sorting needs memory and its length as a shape. A keyed bijection needs neither, so
the size of the training set is an argument, and any batch of any epoch costs only itself.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Key

_ROUNDS = 6


def shuffled(
    key: Key[Array, ""], positions: Int[Array, "*shape"], size: Int[Array, ""]
) -> Int[Array, "*shape"]:
    """Examples at `positions` of an endless reading of `size` examples, each once per epoch.

    Position p lies in epoch p // size; every epoch has an order of its own. A Feistel network over
    a grid of at least `size` cells is a bijection; walking on from cells outside of `size` keeps it
    one (Black & Rogaway, 2002; for shuffling, Mitchell et al., 2022).

    Args:
      positions: from 0 up, int32.
      size: at least 1, at most 2^31 - 1.
    """
    keys = jax.random.bits(key, (_ROUNDS,), jnp.uint32)
    epoch = (positions // size).astype(jnp.uint32)
    cell = (positions % size).astype(jnp.uint32)
    size = size.astype(jnp.uint32)
    rows = jnp.ceil(jnp.sqrt(size.astype(jnp.float32))).astype(jnp.uint32)
    columns = (size + rows - 1) // rows

    def walk(cell: Array) -> Array:
        return jnp.where(cell < size, cell, _permuted(cell, rows, columns, epoch, keys))

    cell = _permuted(cell, rows, columns, epoch, keys)
    cell = jax.lax.while_loop(lambda cell: jnp.any(cell >= size), walk, cell)
    return cell.astype(jnp.int32)


def _permuted(cell: Array, rows: Array, columns: Array, epoch: Array, keys: Array) -> Array:
    """One keyed bijection of the cells of a `rows` x `columns` grid."""
    row, column = cell // columns, cell % columns
    for i in range(0, _ROUNDS, 2):
        row = _wrapped(row + _below(rows, _hash(column, epoch, keys[i])), rows)
        column = _wrapped(column + _below(columns, _hash(row, epoch, keys[i + 1])), columns)
    return row * columns + column


def _hash(x: Array, epoch: Array, key: Array) -> Array:
    """32 well mixed bits of three words (the finaliser of MurmurHash3; Appleby, 2011)."""
    x = x ^ key ^ (epoch * jnp.uint32(0x9E3779B9))
    x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def _below(bound: Array, bits: Array) -> Array:
    """Bits scaled into [0, bound), bound <= 2^16, without a division."""
    return ((bits >> 16) * bound) >> 16


def _wrapped(x: Array, bound: Array) -> Array:
    return jnp.where(x < bound, x, x - bound)
